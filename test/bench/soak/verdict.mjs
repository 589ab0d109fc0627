/** Whether a series of measurements rises, which noise and the rhythm of the garbage collector must not decide. */
import { quantile } from '../measure/statistics.mjs';

/**
 * A measure of one process during a soak.
 *
 * @typedef {object} Series
 * @property {string} name
 * @property {number[]} values - at equal intervals
 * @property {number} maxRise - by how much its floor may rise during the second half
 * @property {number} [limit] - what its floor may reach
 */

/**
 * @typedef {object} Verdict
 * @property {string} name
 * @property {number} rise - of the floor, during the second half
 * @property {number} highest - floor of the second half
 * @property {boolean} isSteady
 */

/** Enough for a trend, and few enough that each has at least one full garbage collection in a soak of the usual length. */
const WINDOWS = 12;

/**
 * The lowest value of each of some equal parts. What garbage adds between two collections is above it, what leaks is in it.
 *
 * @param {number[]} values
 */
function floorsOf(values) {
  const count = Math.min(WINDOWS, values.length);
  return Array.from({ length: count }, (_, at) => {
    const from = Math.floor((at * values.length) / count);
    const to = Math.floor(((at + 1) * values.length) / count);
    return Math.min(...values.slice(from, to));
  });
}

/**
 * The slope per step by Theil and Sen: the median of the slopes between all pairs, which single outliers do not move.
 *
 * @param {number[]} values
 */
function slopeOf(values) {
  const slopes = values.flatMap((value, at) =>
    values.slice(0, at).map((earlier, before) => (value - earlier) / (at - before)),
  );
  return slopes.length === 0 ? 0 : quantile(slopes, 0.5);
}

/**
 * Judges the second half of a series; the first half is the warm-up.
 *
 * @param {Series} series
 * @returns {Verdict}
 */
export function verdictOn({ name, values, maxRise, limit = Infinity }) {
  const floors = floorsOf(values.slice(Math.floor(values.length / 2)));
  const rise = slopeOf(floors) * Math.max(0, floors.length - 1);
  const highest = Math.max(...floors);
  return {
    name,
    rise,
    highest,
    isSteady: floors.length > 0 && rise <= maxRise && highest <= limit,
  };
}

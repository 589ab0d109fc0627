/** Dates on which tokens expire, as `expires` of a token has them. All of them are UTC. */

const MS_PER_DAY = 24 * 60 * 60 * 1000;
const MAX_DAYS = 36_500;
const DAYS = /^(\d{1,5})d$/;
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/;

/** The form of `--expires`, for messages. */
const EXPIRY_FORM = 'a number of days such as 90d, or a date such as 2027-03-01';

/**
 * When a date begins, or undefined if the text is none.
 *
 * @param {string} text
 */
export function readDate(text) {
  const ms = DATE.test(text) ? Date.parse(text) : NaN;
  // Date.parse takes 31 February for a day in March.
  const isReal = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 10));
  return isReal ? ms : undefined;
}

/**
 * Reads `--expires`. After a number of days, a token expires at the next midnight: it is valid for as long as was asked for.
 *
 * @param {string} text
 * @param {number} nowMs
 * @returns {string} the date
 * @throws {Error} if it is none, or has passed
 */
export function readExpiry(text, nowMs) {
  const [, days] = DAYS.exec(text) ?? [];
  if (days !== undefined && Number(days) > 0 && Number(days) <= MAX_DAYS) {
    const wholeDays = Math.ceil(nowMs / MS_PER_DAY) + Number(days);
    return new Date(wholeDays * MS_PER_DAY).toISOString().slice(0, 10);
  }
  const ms = readDate(text);
  if (ms === undefined) {
    throw new Error(`--expires ${text} is neither ${EXPIRY_FORM.replace(', or', ' nor')}`);
  }
  if (ms <= nowMs) {
    throw new Error(`--expires ${text} has passed`);
  }
  return text;
}

/**
 * Whole days until a date begins, negative once it has passed.
 *
 * @param {number} expiresAtMs
 * @param {number} nowMs
 */
export function daysLeft(expiresAtMs, nowMs) {
  return Math.floor((expiresAtMs - nowMs) / MS_PER_DAY);
}

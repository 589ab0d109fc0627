/** Dates on which tokens expire, as a relay takes them in `expires`: a date is UTC, a time has an offset. */

const MS_PER_DAY = 24 * 60 * 60 * 1000;
const MAX_DAYS = 36_500;
const DAYS = /^(\d{1,5})d$/;
const DATE = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** The form of `--expires`, for messages. */
const EXPIRY_FORM = 'a number of days such as 90d, or a date such as 2027-03-01';

/**
 * When a date begins, or undefined if the text is none.
 *
 * @param {string} text
 */
export function readDate(text) {
  const [, date = ''] = DATE.exec(text) ?? [];
  const day = new Date(date);
  const ms = Date.parse(text);
  // Date takes 30 February for a day in March.
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return isDay && !Number.isNaN(ms) ? ms : undefined;
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

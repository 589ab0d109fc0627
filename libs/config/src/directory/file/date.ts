import { Refused } from '../../rules/rule.js';

const DATE = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads the moment from which on something is refused, in milliseconds since 1970: a date, which begins at 0:00 UTC, or a date
 * and a time with an offset.
 */
export function moment(text: string): number | Refused {
  const [, date] = DATE.exec(text) ?? [];
  const momentMs = Date.parse(text);
  // `Date` takes the 30th of February for a day in March.
  const day = new Date(`${date ?? ''}T00:00Z`);
  const isDay = !Number.isNaN(day.getTime()) && day.toJSON().startsWith(date ?? '?');
  return isDay && !Number.isNaN(momentMs)
    ? momentMs
    : new Refused('must be a date, such as 2027-03-01 or 2027-03-01T12:00:00Z');
}

import { html, type TemplateResult } from 'lit';

import { duration } from './quantities.js';

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/** The hour and minute, local as all times are. */
export const minuteOf = (ms: number): string => MINUTE.format(ms);

/** A moment, by the clock alone if it is of the same day as `nowMs`. */
export function moment(ms: number, nowMs: number): TemplateResult {
  const day = DAY.format(ms);
  const clock = CLOCK.format(ms);
  return timeElement(ms, day === DAY.format(nowMs) ? clock : `${day}, ${clock}`);
}

/** How long ago a moment was. */
export function ago(ms: number, nowMs: number): TemplateResult {
  return timeElement(ms, `${duration(nowMs - ms)} ago`);
}

/** The day on which something ends, and in how long. */
export function end(ms: number, nowMs: number): TemplateResult {
  const words = ms > nowMs ? `in ${duration(ms - nowMs)}` : `${duration(nowMs - ms)} ago`;
  return timeElement(ms, `${DAY.format(ms)}, ${words}`);
}

function timeElement(ms: number, text: string): TemplateResult {
  const iso = new Date(ms).toISOString();
  return html`<time datetime=${iso} title=${iso}>${text}</time>`;
}

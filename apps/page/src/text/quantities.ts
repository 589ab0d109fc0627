const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const EXACT_BELOW = 10;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Between a number and its unit, where no line ends. */
const NBSP = '\u00A0';
/** What is not known, or is not there. */
export const NOTHING = '–';

export const count = (value: number): string => WHOLE.format(value);

/** Small numbers with one digit behind the point: a rate, or a percentage. */
export function decimal(value: number): string {
  return value === 0 || value >= EXACT_BELOW ? WHOLE.format(value) : TENTHS.format(value);
}

/** @param many - if it is not made with an s */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === undefined || value === null) {
    return NOTHING;
  }
  return value < SECOND_MS ? `${decimal(value)}${NBSP}ms` : `${decimal(value / SECOND_MS)}${NBSP}s`;
}

/** A length of time in its largest unit, and in the next one if that says more. */
export function duration(ms: number): string {
  const at = UNITS.findIndex(([size]) => ms >= size);
  const [size, name] = UNITS[at] ?? SECONDS;
  const whole = Math.max(0, Math.floor(ms / size));
  const next = UNITS[at + 1];
  if (next === undefined || size < HOUR_MS || whole >= FEW) {
    return `${count(whole)}${NBSP}${name}`;
  }
  const rest = Math.floor((ms % size) / next[0]);
  return rest === 0
    ? `${count(whole)}${NBSP}${name}`
    : `${count(whole)}${NBSP}${name} ${count(rest)}${NBSP}${next[1]}`;
}

/** Of so many days or hours, the rest does not matter. */
const FEW = 10;
const SECONDS = [SECOND_MS, 's'] as const;
const UNITS = [[DAY_MS, 'd'], [HOUR_MS, 'h'], [MINUTE_MS, 'min'], SECONDS] as const;

/** How near the end of something is, such as of a certificate. */
export function expiry(endsAtMs: number, nowMs: number): 'past' | 'near' | 'far' {
  if (endsAtMs <= nowMs) {
    return 'past';
  }
  return endsAtMs - nowMs < NEAR_MS ? 'near' : 'far';
}

/** As the log of the relay warns of tokens. */
const NEAR_MS = 14 * DAY_MS;

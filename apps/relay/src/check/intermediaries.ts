import type { IncomingHttpHeaders } from 'node:http';

/** The fields of a relay's own response to a probe. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-mte-relay',
  'x-request-id',
]);
/** Fields in which intermediaries name themselves. */
const NAMING_FIELDS = [
  'server',
  'via',
  'x-served-by',
  'x-cache',
  'cf-ray',
  'x-envoy-upstream-service-time',
];
/** A field of a stranger, in one line of a terminal. */
const MAX_VALUE_CHARACTERS = 80;
const MAX_NAMES = 10;

/** What stands between the relays, as far as the fields of a response show it. */
export function shownIntermediaries(headers: IncomingHttpHeaders): string {
  const foreign = Object.keys(headers).filter((name) => !OWN_FIELDS.has(name));
  if (foreign.length === 0) {
    return 'nothing between the relays shows itself';
  }
  const named = foreign.filter((name) => NAMING_FIELDS.includes(name));
  const others = foreign.filter((name) => !NAMING_FIELDS.includes(name));
  return [
    ...named.map((name) => `${name}: ${printable(String(headers[name]))}`),
    ...(others.length === 0 ? [] : [`further fields: ${someOf(others)}`]),
  ].join('; ');
}

/** Names in one line, however many there are. */
export function someOf(names: readonly string[]): string {
  const further = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).join(', ') + (further > 0 ? ` and ${further} more` : '');
}

/** A value that cannot do anything to a terminal. */
export function printable(value: string): string {
  const shown = value.replace(/[^\x20-\x7e]/g, '?');
  return shown.length > MAX_VALUE_CHARACTERS ? `${shown.slice(0, MAX_VALUE_CHARACTERS)}…` : shown;
}

import { read } from './deploy-files.js';

export const UNIT = 'deploy/systemd/mte-api-relay.service';

/** The values that a unit gives a directive, in their order. */
export const valuesOf = (unit: string, directive: string): readonly string[] =>
  [...unit.matchAll(new RegExp(`^${directive}=(.*)$`, 'gm'))].map(([, value = '']) => value);

/** NAME=value, for each line. */
export const assignments = (lines: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );

/** The settings of deploy/debian/relay.env: those that it makes, or also those that it has as examples. */
export function settings(which: 'made' | 'all'): Readonly<Record<string, string>> {
  const pattern = which === 'made' ? /^([A-Z_]+=.*)$/gm : /^#?([A-Z_]+=.*)$/gm;
  return assignments(
    [...read('deploy/debian/relay.env').matchAll(pattern)].map(([, line = '']) => line),
  );
}

import { isDeepStrictEqual } from 'node:util';

import { OF_ENVIRONMENT, type Directory } from './directory.js';

/** What the keys of entries are called in a file, where that differs. */
const KEYS: Readonly<Record<string, string>> = { reach: 'origins', audiences: 'aliases' };

const PARTS = [
  ['peers', 'peer'],
  ['clients', 'client'],
  ['tenants', 'tenant'],
] as const;

type Entry = Readonly<Record<string, unknown>> & { readonly name: string };

const byName = (entries: readonly object[]): ReadonlyMap<string, Entry> =>
  new Map((entries as readonly Entry[]).map((entry) => [entry.name, entry]));

const changedKeys = (before: Entry, after: Entry): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => KEYS[key] ?? key);

/**
 * Returns what is different between two directories: one line for each entry that was added, removed or changed, with the names
 * of its changed keys and never with a value.
 */
export function directoryChanges(before: Directory, after: Directory): readonly string[] {
  return PARTS.flatMap(([part, kind]) => {
    const [old, current] = [byName(before[part]), byName(after[part])];
    return [...new Set([...old.keys(), ...current.keys()])].flatMap((name) => {
      const shown = name === OF_ENVIRONMENT ? `${kind} of the variables` : `${kind} ${name}`;
      const [oldEntry, entry] = [old.get(name), current.get(name)];
      if (oldEntry === undefined || entry === undefined) {
        return [`${shown}: ${oldEntry === undefined ? 'added' : 'removed'}`];
      }
      const keys = changedKeys(oldEntry, entry);
      return keys.length === 0 ? [] : [`${shown}: changed ${keys.join(', ')}`];
    });
  });
}

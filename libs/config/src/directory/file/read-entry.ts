import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';

import { closest } from './closest.js';
import { RefusedEntries } from './keys.js';
import { shownPath, type KeyPath, type Problems } from './problems.js';
import { isMapping, type Plain } from './yaml-text.js';

type EntryClass<T> = new () => T;

/** Every key that a class declares, with or without a value. */
const keysOf = (type: EntryClass<object>): readonly string[] => Object.keys(new type());

const step = (property: string): string | number =>
  /^\d+$/.test(property) ? Number(property) : property;

const reportUnknown = (
  path: KeyPath,
  { target }: ValidationError,
  property: string,
  problems: Problems,
): void => {
  const known = target === undefined ? [] : keysOf(target.constructor as EntryClass<object>);
  const meant = closest(property, known);
  // Whatever stands in the place of a key may be a secret, unless it resembles a key.
  if (meant === undefined) {
    problems.addAt(
      problems.lineOf([...path, property]),
      `${shownPath(path)} has an unknown key here: its keys are ${known.join(', ')}`,
    );
  } else {
    problems.add([...path, property], `is no key: did you mean ${meant}?`);
  }
};

const report = (path: KeyPath, errors: readonly ValidationError[], problems: Problems): void => {
  for (const error of errors) {
    const own = [...path, step(error.property)];
    const { whitelistValidation, ...rules } = error.constraints ?? {};
    if (whitelistValidation !== undefined) {
      reportUnknown(path, error, error.property, problems);
    }
    const refused: unknown = error.value;
    const [first] = Object.values(rules);
    if (refused instanceof RefusedEntries) {
      refused.problems.forEach((rule, index) => {
        problems.add([...own, refused.positions[index] ?? 0], rule);
      });
    } else if (first !== undefined) {
      first.split('\n').forEach((rule) => {
        problems.add(own, rule);
      });
    }
    report(own, error.children ?? [], problems);
  }
};

/**
 * Reads the mapping at a path as an instance of `type`. Problems are reported, and the keys that have any are undefined, so that
 * the others can still be judged; undefined if it is no mapping.
 */
export function readEntry<T extends object>(
  type: EntryClass<T>,
  content: Plain | undefined,
  path: KeyPath,
  problems: Problems,
): Partial<T> | undefined {
  if (!isMapping(content)) {
    problems.add(path, 'must be a mapping');
    return undefined;
  }
  const entry: Partial<T> = plainToInstance(type, { ...content });
  const errors = validateSync(entry, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
  });
  report(path, errors, problems);
  for (const { property } of errors) {
    entry[property as keyof T] = undefined;
  }
  return entry;
}

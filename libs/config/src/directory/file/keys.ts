import { applyDecorators } from '@nestjs/common';
import { Transform, Type, type TransformFnParams } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

import { Refused } from '../../rules/rule.js';

const MAX_ENTRIES = 10_000;

/** A list of which entries are refused: by their position, counted from 0. */
export class RefusedEntries extends Refused {
  /** The position of each problem's entry. */
  readonly positions: readonly number[];

  constructor(entries: readonly { readonly position: number; readonly problem: string }[]) {
    super(...entries.map(({ problem }) => problem));
    this.positions = entries.map(({ position }) => position);
  }
}

/** The key may be left out. A key without a value is not left out: `routes:` must not open every route. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** Reads the value of a key with `read`, which returns what it stands for, or a `Refused`. */
export function Value(read: (value: unknown) => unknown): PropertyDecorator {
  return applyDecorators(
    // `value` is a copy by class-transformer, which leaves out some keys.
    Transform(({ obj, key }: TransformFnParams) => read((obj as Record<string, unknown>)[key])),
    ValidateBy({
      name: 'value',
      validator: {
        validate: (value) => value !== undefined && !(value instanceof Refused),
        defaultMessage: (args) => {
          const value: unknown = args?.value;
          return value instanceof Refused ? value.problems.join('\n') : 'is required';
        },
      },
    }),
  );
}

/** Returns a reader of text by one of the rules of variables. */
export function text<T>(read: (text: string) => T | Refused) {
  return (value: unknown): T | Refused =>
    typeof value === 'string'
      ? read(value)
      : new Refused('must be text, in quotes if it looks like a number or true, false, null');
}

/** Returns a reader of a list of at most `maxEntries`. */
export function list<T>(read: (entry: unknown) => T | Refused, maxEntries = MAX_ENTRIES) {
  return (value: unknown): readonly T[] | Refused => {
    if (!Array.isArray(value)) {
      return new Refused('must be a list');
    }
    if (value.length > maxEntries) {
      return new Refused(`must have at most ${maxEntries} entries`);
    }
    const entries = (value as unknown[]).map(read);
    const refused = entries.flatMap((entry, position) =>
      entry instanceof Refused ? entry.problems.map((problem) => ({ position, problem })) : [],
    );
    return refused.length > 0 ? new RefusedEntries(refused) : (entries as T[]);
  };
}

/** The value is a mapping with the keys of a class. */
export function Mapping(
  type: () => new () => object,
  message = 'must be a mapping',
): PropertyDecorator {
  return applyDecorators(
    Type(type),
    ValidateBy({
      name: 'mapping',
      validator: {
        validate: (value) => value instanceof type(),
        defaultMessage: (args) => (args?.value === undefined ? 'is required' : message),
      },
    }),
    ValidateNested({ message }),
  );
}

/** The value is a list of mappings with the keys of a class. */
export function MappingList(type: () => new () => object): PropertyDecorator {
  return applyDecorators(
    Type(type),
    IsArray({
      message: ({ value }) => (value === undefined ? 'is required' : 'must be a list of mappings'),
    }),
    ArrayMaxSize(MAX_ENTRIES, { message: `must have at most ${MAX_ENTRIES} entries` }),
    ValidateNested({ each: true, message: 'must be a mapping' }),
  );
}

/** The value is an integer from `min` to `max`. */
export function WholeNumber(min: number, max: number): PropertyDecorator {
  const message = `must be an integer from ${min} to ${max}`;
  return applyDecorators(IsInt({ message }), Min(min, { message }), Max(max, { message }));
}

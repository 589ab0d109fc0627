import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsBoolean, IsInt, Max, Min, ValidateBy, ValidateIf } from 'class-validator';

/**
 * The value of a property whose text breaks its rule, until validation reports it.
 *
 * Each problem continues a sentence that begins with the name of the variable, and never contains its value.
 */
export class Refused {
  /** What is wrong, each as the end of a sentence that begins with the variable's name. */
  readonly problems: readonly string[];

  constructor(...problems: string[]) {
    this.problems = problems;
  }
}

const transformText = (read: (text: string) => unknown): PropertyDecorator =>
  Transform(({ value }: TransformFnParams) => read(value as string));

/**
 * Reads the property from its text with `read`, which returns the value or a `Refused`. A property without a text and
 * without a default is reported as required.
 */
export function FromText(read: (text: string) => unknown): PropertyDecorator {
  return applyDecorators(
    transformText(read),
    ValidateBy({
      name: 'fromText',
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

/** Requires the property only if the object has neither a `relayConfigFile` nor a `domainMap`, which may say it instead. */
export function RequiredWithoutDirectory(): PropertyDecorator {
  return ValidateIf(
    (
      object: { readonly relayConfigFile?: unknown; readonly domainMap?: unknown },
      value: unknown,
    ) =>
      (object.relayConfigFile === undefined && object.domainMap === undefined) ||
      value !== undefined,
  );
}

/** Requires a plain decimal integer from `min` to `max`, without a sign, leading zeros or a unit. */
export function Integer(min: number, max: number): PropertyDecorator {
  const message = `must be an integer from ${min} to ${max}`;
  return applyDecorators(
    transformText((text) => (/^(0|[1-9]\d*)$/.test(text) ? Number(text) : text)),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

/** Requires exactly `true` or `false`. */
export function StrictBoolean(): PropertyDecorator {
  return applyDecorators(
    transformText((text) => (text === 'true' ? true : text === 'false' ? false : text)),
    IsBoolean({ message: 'must be true or false' }),
  );
}

/** Refuses a property that is set, unless `isFine` accepts all properties together. */
export function refuseUnless(
  name: string,
  message: string,
  isFine: (properties: Readonly<Record<string, unknown>>) => boolean,
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) =>
        value === undefined || isFine(args?.object as Record<string, unknown>),
      defaultMessage: () => message,
    },
  });
}

/** Reads a comma-separated list and removes duplicates. A problem names the position of its entry, counted from 1. */
export function listOf<T>(read: (entry: string) => T | Refused) {
  return (text: string): readonly T[] | Refused => {
    const entries: T[] = [];
    const problems: string[] = [];
    text.split(',').forEach((part, index) => {
      const entry = read(part.trim());
      if (entry instanceof Refused) {
        problems.push(...entry.problems.map((problem) => `entry ${index + 1} ${problem}`));
      } else {
        entries.push(entry);
      }
    });
    return problems.length > 0 ? new Refused(...problems) : [...new Set(entries)];
  };
}

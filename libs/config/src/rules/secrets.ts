import { ValidateBy } from 'class-validator';
import { estimatedBits } from '../entropy/estimated-bits.js';
import { isProduction } from './production.js';
import { Refused } from './rule.js';

/** The values that `.env.example` and the documentation show in place of a secret or token, in capitals. */
export const DOCUMENTED_PLACEHOLDERS: readonly string[] = Object.freeze([
  'YOUR_CLIENT_ID_SECRET',
  'YOUR_CLIENT_ID_SECRET_AT_LEAST_32_CHARACTERS',
  'YOUR_OUTBOUND_TOKEN',
  'YOUR_SECURE_OUTBOUND_ACCESS_TOKEN',
]);

const MIN_SECRET_CHARACTERS = 16;
const MIN_TOKEN_CHARACTERS = 8;
/** 2^96 guesses are out of reach, even without the cost that scrypt adds to each of those at a secret. */
const MIN_BITS = 96;
/** An image has no npm script, but its operator has a shell. */
const ADVICE = 'make one with openssl rand -base64 32';

/** Whether the value is a documented placeholder, in upper or lower case: everyone can read it in the documentation. */
const isPlaceholder = (value: string): boolean =>
  DOCUMENTED_PLACEHOLDERS.includes(value.toUpperCase());

/** Returns why a secret or token is too easy to guess, without showing it, or undefined if it is not. */
export function weaknessOf(value: string): string | undefined {
  if (isPlaceholder(value)) {
    return `is a documented placeholder: ${ADVICE}`;
  }
  return estimatedBits(value) < MIN_BITS
    ? `has an estimated entropy of fewer than ${MIN_BITS} bits: ${ADVICE}`
    : undefined;
}

const problemsOf = (text: string, minCharacters: number): string[] => {
  const problems: string[] = [];
  const trimmed = text.trim();
  if (trimmed !== text) {
    problems.push('must not begin or end with white space');
  }
  if (Array.from(trimmed).length < minCharacters) {
    problems.push(`must be at least ${minCharacters} characters long`);
  }
  return problems;
};

/** Reads a secret from which keys are derived. */
export function secret(text: string): string | Refused {
  const problems = problemsOf(text, MIN_SECRET_CHARACTERS);
  return problems.length > 0 ? new Refused(...problems) : text;
}

/** Reads a bearer token, which is sent in a header. */
export function token(text: string): string | Refused {
  const problems = problemsOf(text, MIN_TOKEN_CHARACTERS);
  if (!/^[\x21-\x7e]*$/.test(text.trim())) {
    problems.push('must be visible ASCII without spaces');
  }
  return problems.length > 0 ? new Refused(...problems) : text;
}

/** Refuses a secret or token that is too easy to guess if the object's `nodeEnv` is production. */
export function NotWeakInProduction(): PropertyDecorator {
  return ValidateBy({
    name: 'notWeakInProduction',
    validator: {
      validate: (value, args) => {
        const { nodeEnv } = args?.object as { nodeEnv: string };
        // Anything but a string has been refused already.
        return (
          typeof value !== 'string' || !isProduction(nodeEnv) || weaknessOf(value) === undefined
        );
      },
      defaultMessage: (args) =>
        isPlaceholder(String(args?.value))
          ? `must not be a documented placeholder when NODE_ENV is production: ${ADVICE}`
          : `must have an estimated entropy of ${MIN_BITS} bits or more when NODE_ENV is production: ${ADVICE}`,
    },
  });
}

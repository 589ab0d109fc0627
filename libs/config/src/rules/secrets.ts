import { ValidateBy } from 'class-validator';
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

/** Whether the value is a documented placeholder, in upper or lower case: everyone can read it in the documentation. */
export function isPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && DOCUMENTED_PLACEHOLDERS.includes(value.toUpperCase());
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

/** Refuses a documented placeholder if the object's `nodeEnv` is production. */
export function NoPlaceholderInProduction(): PropertyDecorator {
  return ValidateBy({
    name: 'noPlaceholderInProduction',
    validator: {
      validate: (value, args) => {
        const { nodeEnv } = args?.object as { nodeEnv: string };
        return nodeEnv.toLowerCase() !== 'production' || !isPlaceholder(value);
      },
      defaultMessage: () =>
        'must not be a documented placeholder when NODE_ENV is production: make one with npm run secret',
    },
  });
}

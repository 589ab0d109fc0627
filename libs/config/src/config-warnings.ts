import { ENVIRONMENT_VARIABLES as names } from './environment-variables.js';
import type { RelayConfig } from './relay-config.js';
import { isPlaceholder } from './rules/secrets.js';

const STRONG_SECRET_CHARACTERS = 32;
const STRONG_SECRET_DISTINCT = 10;
const STRONG_TOKEN_CHARACTERS = 24;

const secretWeakness = (secret: string): string | undefined => {
  const characters = Array.from(secret);
  if (characters.length < STRONG_SECRET_CHARACTERS) {
    return `has fewer than ${STRONG_SECRET_CHARACTERS} characters`;
  }
  return new Set(characters).size < STRONG_SECRET_DISTINCT
    ? `has fewer than ${STRONG_SECRET_DISTINCT} distinct characters`
    : undefined;
};

const tokenWeakness = (token: string): string | undefined =>
  token.length < STRONG_TOKEN_CHARACTERS
    ? `has fewer than ${STRONG_TOKEN_CHARACTERS} characters`
    : undefined;

const weaknesses = (config: RelayConfig): string[] => {
  const credentials = [
    ['clientIdSecret', secretWeakness],
    ['clientIdSecretAlt', secretWeakness],
    ['outboundToken', tokenWeakness],
    ['outboundTokenAlt', tokenWeakness],
  ] as const;
  return credentials.flatMap(([property, weaknessOf]) => {
    const value = config[property];
    if (value === undefined) {
      return [];
    }
    const weakness = isPlaceholder(value) ? 'is a documented placeholder' : weaknessOf(value);
    return weakness === undefined
      ? []
      : [`${names[property]} ${weakness}: make one with npm run secret`];
  });
};

/** Returns what an operator should fix although the relay starts: one line each, which never shows a value. */
export function warningsOf(config: RelayConfig): readonly string[] {
  const warnings = weaknesses(config);
  if (config.clientIdSecretAlt === config.clientIdSecret) {
    warnings.push(`${names.clientIdSecretAlt} equals ${names.clientIdSecret}: nothing rotates`);
  }
  if (config.outboundTokenAlt === config.outboundToken) {
    warnings.push(`${names.outboundTokenAlt} equals ${names.outboundToken}: nothing rotates`);
  }
  if (config.outboundToken === config.clientIdSecret) {
    warnings.push(
      `${names.outboundToken} equals ${names.clientIdSecret}: every client can then act as a relay`,
    );
  }
  if (config.outboundAllowedUpstreams === undefined) {
    warnings.push(
      `${names.outboundAllowedUpstreams} is not set: a client with the token may name any host as peer`,
    );
  }
  return warnings;
}

import { ENVIRONMENT_VARIABLES as names } from './environment-variables.js';
import type { RelayConfig } from './relay-config.js';
import { weaknessOf } from './rules/secrets.js';

const CREDENTIALS = [
  'clientIdSecret',
  'clientIdSecretAlt',
  'outboundToken',
  'outboundTokenAlt',
] as const;

const weaknesses = (config: RelayConfig): string[] =>
  CREDENTIALS.flatMap((property) => {
    const value = config[property];
    const weakness = value === undefined ? undefined : weaknessOf(value);
    return weakness === undefined ? [] : [`${names[property]} ${weakness}`];
  });

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
  if (config.relayAudience === undefined) {
    warnings.push(
      `${names.relayAudience} is not set: this relay accepts what was meant for any holder of the secret`,
    );
  }
  return warnings;
}

import { loadConfig, type ConfigInvalidError, type RelayConfig } from '@relay/config';

/** The default environment; tests override single variables. Nothing listens at its upstream. */
const ENVIRONMENT = {
  UPSTREAM: 'http://127.0.0.1:9',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'outbound-token-of-the-tests',
  REDIS_URL: 'memory://',
};

/** The configuration that a relay reads from the default environment with these overrides. */
export function relayConfig(overrides: Readonly<Record<string, string>> = {}): RelayConfig {
  return loadConfig({ ...ENVIRONMENT, ...overrides }).config;
}

/** The problems of such a configuration; empty if it is valid. */
export function configProblems(overrides: Readonly<Record<string, string>>): readonly string[] {
  try {
    relayConfig(overrides);
    return [];
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
}

import { loadConfig, type ConfigInvalidError, type RelayConfig } from '@relay/config';

/** What a relay is told unless a test says otherwise. Nothing answers at its upstream. */
const ENVIRONMENT = {
  UPSTREAM: 'http://127.0.0.1:9',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'outbound-token-of-the-tests',
  REDIS_URL: 'memory://',
};

/** A configuration as the environment makes it. */
export function relayConfig(overrides: Readonly<Record<string, string>> = {}): RelayConfig {
  return loadConfig({ ...ENVIRONMENT, ...overrides }).config;
}

/** What is wrong with such a configuration; nothing where it is made. */
export function configProblems(overrides: Readonly<Record<string, string>>): readonly string[] {
  try {
    relayConfig(overrides);
    return [];
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
}

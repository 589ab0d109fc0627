import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ConfigInvalidError } from './config.errors.js';
import { warningsOf } from './config-warnings.js';
import { findingsIn } from './environment-findings.js';
import { readDirectory, type LoadedDirectory } from './directory/read-directory.js';
import { ENVIRONMENT_VARIABLES, type RelayConfigProperty } from './environment-variables.js';
import { RelayConfig } from './relay-config.js';
import { MEMORY_URL } from './rules/redis-url.js';
import { isProduction } from './rules/production.js';
import { readSecretFiles } from './secret-files.js';
import { withoutUnusedTraces } from './trace-options.js';
import { cannotBeRead } from './unreadable-file.js';

const VARIABLES = Object.entries(ENVIRONMENT_VARIABLES) as [RelayConfigProperty, string][];

/** A valid configuration and the warnings about it, deeply frozen. */
export interface LoadedConfig {
  readonly config: RelayConfig;
  /** What an operator should fix although the relay starts: one line each, which never shows a value. */
  readonly warnings: readonly string[];
}

const readEnvFile = (): NodeJS.ProcessEnv => {
  try {
    const text = readFileSync(join(process.cwd(), '.env'), 'utf8');
    return parseEnv(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return {};
    }
    throw new ConfigInvalidError([`.env ${cannotBeRead(error)}`]);
  }
};

const readEnvironment = (): NodeJS.ProcessEnv => ({ ...readEnvFile(), ...process.env });

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
};

/** Reads the texts of the environment and adds the defaults; nothing has been validated yet. */
const fromTexts = (environment: NodeJS.ProcessEnv): RelayConfig => {
  const texts = VARIABLES.map(([property, name]) => [property, environment[name]] as const);
  const given = Object.fromEntries(texts.filter(([, text]) => text !== undefined && text !== ''));
  return plainToInstance(RelayConfig, given, { exposeDefaultValues: true });
};

const problemsOf = (config: RelayConfig): string[] => {
  const errors = validateSync(config, { validationError: { target: false, value: false } });
  const lines = errors.flatMap(({ property, constraints = {} }) =>
    Object.values(constraints)
      .flatMap((message) => message.split('\n'))
      .map((rule) => `${ENVIRONMENT_VARIABLES[property as RelayConfigProperty]} ${rule}`),
  );
  return [...new Set(lines)];
};

const isAbout = (name: string, line: string): boolean => line.startsWith(`${name} `);

/** Each of these takes the place of other variables, which are not required with it. */
const REPLACING = ['RELAY_CONFIG_FILE', 'DOMAIN_MAP'] as const;
const REPLACED = ['UPSTREAM', 'CLIENT_ID_SECRET', 'OUTBOUND_TOKEN'] as const;
const isReplaced = (line: string): boolean =>
  REPLACED.some((name) => line === `${name} is required`);

/**
 * Loads and validates the configuration.
 *
 * Without an argument, reads the file `.env` in the working directory, if there is one, and the environment of the
 * process, which takes precedence. An empty variable counts as unset. A secret may be in a file that `<NAME>_FILE`
 * names. Reads only, and changes nothing in the environment.
 *
 * @returns a new configuration on every call, deeply frozen
 * @throws ConfigInvalidError with all problems together
 */
export function loadConfig(environment: NodeJS.ProcessEnv = readEnvironment()): LoadedConfig {
  const secrets = readSecretFiles(withoutUnusedTraces(environment));
  const config = fromTexts(secrets.environment);
  // A variable without a value because its file cannot be read is not missing as well, nor is what it takes the place of.
  const { unread } = secrets;
  const isUnreadToo = unread.includes('DOMAIN_MAP');
  const rules = problemsOf(config).filter(
    (line) => !unread.some((name) => isAbout(name, line)) && !(isUnreadToo && isReplaced(line)),
  );
  const problems = [...secrets.problems, ...rules];
  // A variable that is reported as missing may have been mistyped, as may one with which it would not be missing.
  const isReplacing = (name: string): boolean =>
    REPLACING.some((one) => name === one || name === `${one}_FILE`);
  const isReported = (name: string): boolean =>
    problems.some((line) => isAbout(name, line) || (isReplacing(name) && isReplaced(line)));
  const findings = findingsIn(environment);
  const refused = findings.filter(
    ({ isDangerous, meant }) =>
      (isDangerous && isProduction(config.nodeEnv)) || (meant !== undefined && isReported(meant)),
  );
  if (problems.length + refused.length > 0) {
    throw new ConfigInvalidError([...problems, ...refused.map(({ line }) => line)]);
  }
  const { directory, warnings } = readDirectory(config, secrets.environment);
  Object.assign(config, { directory });
  return deepFreeze({
    config,
    warnings: [...warningsOf(config), ...warnings, ...findings.map(({ line }) => line)],
  });
}

/**
 * Loads the configuration as a relay with this RELAY_CONFIG_FILE would, without REDIS_URL if that is not set: to check a file.
 *
 * @throws ConfigInvalidError with all problems together
 */
export function loadConfigWith(
  relayConfigFile: string,
  environment: NodeJS.ProcessEnv = readEnvironment(),
): LoadedConfig {
  return loadConfig({
    REDIS_URL: MEMORY_URL,
    ...environment,
    RELAY_CONFIG_FILE: relayConfigFile,
  });
}

/**
 * Reads the directory of a running relay again: its RELAY_CONFIG_FILE and the files that this names may have changed.
 *
 * @throws ConfigInvalidError with all problems together; the relay keeps what it has
 */
export function reloadDirectory(
  config: RelayConfig,
  environment: NodeJS.ProcessEnv = readEnvironment(),
): LoadedDirectory {
  // With the values from secret files, as at the start.
  return deepFreeze(readDirectory(config, readSecretFiles(environment).environment));
}

/** Where a relay serves `/health/ready`. */
export interface HealthAddress {
  readonly protocol: 'http' | 'https';
  /** A host name or an IP address, never a wildcard. */
  readonly host: string;
  readonly port: number;
}

/**
 * Returns where a running relay with this environment serves `/health/ready`, for a health check on the same machine.
 * Reads `.env` as `loadConfig` does. Nothing is validated: the relay validated its configuration when it started, and
 * a certificate file that has changed since then does not change where it listens.
 *
 * @throws ConfigInvalidError if `.env` exists and cannot be read
 */
export function loadHealthAddress(
  environment: NodeJS.ProcessEnv = readEnvironment(),
): HealthAddress {
  const { host, port, adminHost, adminPort, tlsCertFile } = fromTexts(environment);
  const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';
  const reachable = (address: string): string => (isWildcard(address) ? '127.0.0.1' : address);
  return adminPort === undefined
    ? { protocol: tlsCertFile === undefined ? 'http' : 'https', host: reachable(host), port }
    : { protocol: 'http', host: reachable(adminHost), port: adminPort };
}

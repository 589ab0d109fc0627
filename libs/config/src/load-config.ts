import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ConfigInvalidError } from './config.errors.js';
import { warningsOf } from './config-warnings.js';
import { ENVIRONMENT_VARIABLES, type RelayConfigProperty } from './environment-variables.js';
import { RelayConfig } from './relay-config.js';
import { readSecretFiles } from './secret-files.js';

const VARIABLES = Object.entries(ENVIRONMENT_VARIABLES) as [RelayConfigProperty, string][];

/** A configuration, and what an operator should mend though the relay starts. */
export interface LoadedConfig {
  readonly config: RelayConfig;
  /** One line each, never a value. */
  readonly warnings: readonly string[];
}

const readEnvFile = (): NodeJS.ProcessEnv => {
  try {
    const text = readFileSync(join(process.cwd(), '.env'), 'utf8');
    return parseEnv(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return {};
    }
    throw new ConfigInvalidError([`.env cannot be read (${code ?? 'unknown error'})`]);
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

/** As the texts stand, with the defaults: nothing is validated yet. */
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

/**
 * The configuration that the environment asks for, deeply frozen.
 *
 * Without an argument it reads `.env` of the working directory, if there is one, and the process
 * environment, which wins. An empty variable counts as not set. Secrets may stand in files that
 * `<NAME>_FILE` names. Throws `ConfigInvalidError` with
 * all problems at once; nothing is left behind.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = readEnvironment()): LoadedConfig {
  const secrets = readSecretFiles(environment);
  const config = fromTexts(secrets.environment);
  const problems = [...secrets.problems, ...problemsOf(config)];
  if (problems.length > 0) {
    throw new ConfigInvalidError(problems);
  }
  return deepFreeze({ config, warnings: warningsOf(config) });
}

/** Where the relay of an environment answers `/health/ready`. */
export interface HealthAddress {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/**
 * For a health check beside a running relay. Nothing is validated: the relay did that at its start, and what has become
 * of a certificate's file since does not change where it listens.
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ENVIRONMENT_VARIABLES, loadConfig, type RelayConfig } from '@relay/config';
import { expect } from 'vitest';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '../../..');
const PRESET = /^ENV ((?:.*\\\n)*.*)$/m;
export const SAMPLE = {
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  CLIENT_ID_SECRET_ALT: 'Ae3Tf6Gd8Jh2Yp4cNv9Br1LwXm7tZq0k',
  OUTBOUND_TOKEN: 'X3vB8mQz1LkT6wRn9YdC2hJp',
  OUTBOUND_TOKEN_ALT: 'f2Wd9ZsK4hTq7XvN1bRm6LcP',
  REDIS_URL: 'redis://:password@redis:6379',
  UPSTREAM: 'http://api.internal:3000',
  RELAY_AUDIENCE: 'https://relay.example.com',
};

export type Environment = Readonly<Record<string, string | number | null>>;

/** The parts of a service in a compose or stack file that the tests read. */
export interface Service {
  readonly image?: string;
  readonly container_name?: string;
  readonly build?: { readonly context: string };
  readonly command?: unknown;
  readonly entrypoint?: readonly string[];
  readonly env_file?: string;
  readonly profiles?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, Network>>;
  readonly labels?: Environment;
  readonly ports?: readonly unknown[];
  readonly environment?: Environment;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly volumes?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly { readonly source: string; readonly target?: string }[];
  readonly healthcheck?: object;
  readonly deploy?: object;
}

/** How a service is on a network. */
export interface Network {
  readonly aliases?: readonly string[];
}

/** What exists in a swarm under a name. */
type External = Readonly<Record<string, { readonly external: boolean; readonly name: string }>>;

export interface Compose {
  readonly version?: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly configs?: External;
  readonly secrets?: External;
}

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Replaces `${NAME:-default}` and `${NAME:?message}` as the container engine does. */
const interpolate = (text: string, values: Environment): string =>
  text.replaceAll(/\$\{([A-Z_]+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) =>
    String(values[name] ?? (kind === '-' ? rest : `missing ${name}`)),
  );

/** A compose file from its text. */
export const composeOf = (text: string, values: Environment = {}): Compose =>
  parse(interpolate(text, values), { merge: true }) as Compose;

export const compose = (path: string, values: Environment = {}): Compose =>
  composeOf(read(path), values);

export const serviceOf = ({ services }: Compose, name: string): Service => {
  const service = services[name];
  if (service === undefined) {
    throw new Error(`no service ${name}`);
  }
  return service;
};

export const pairs = (list: readonly NameValue[]): Environment =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

/** The variables of the relay that the image sets: those of its first ENV. */
export const imageVariables = pairs(
  [...(PRESET.exec(read('Dockerfile'))?.[1] ?? '').matchAll(/([A-Z_]+)=(\S+)/g)].map(
    ([, name = '', value = '']) => ({ name, value }),
  ),
);

/** The configuration that a relay reads if these variables override those of the image. */
export function configOf(environment: Environment): RelayConfig {
  const entries = Object.entries({ ...imageVariables, ...environment });
  const known: readonly string[] = Object.values(ENVIRONMENT_VARIABLES);
  const withSecrets = entries.map(([name, value]) => {
    // Most names that end so are those of files with a secret; some are variables of their own.
    const isSecretFile = name.endsWith('_FILE') && !known.includes(name);
    const variable = isSecretFile ? name.slice(0, -5) : name;
    expect(known, name).toContain(variable);
    return variable === name
      ? [name, String(value ?? '')]
      : [variable, SAMPLE[variable as keyof typeof SAMPLE]];
  });
  return loadConfig(Object.fromEntries(withSecrets) as NodeJS.ProcessEnv).config;
}

/** Expects the grace period to cover a whole shutdown: a process that is killed earlier loses requests. */
export function expectTimeToStop(graceSeconds: number, config: RelayConfig): void {
  const neededMs = config.shutdownDelayMs + config.shutdownTimeoutMs;
  expect(graceSeconds * 1000).toBeGreaterThanOrEqual(neededMs + 5000);
}

export const seconds = (text: string | undefined): number =>
  Number(/^(\d+)s$/.exec(text ?? '')?.[1]);

import { createHash, randomBytes } from 'node:crypto';

import {
  ConfigInvalidError,
  RelayConfig,
  loadConfig,
  type ClientEntry,
  type Directory,
} from '@relay/config';

import { StepFailedError } from './steps.js';

/** A configuration for a relay that only checks another, in a process beside the running one. */
export interface CheckConfiguration {
  readonly config: RelayConfig;
  /** In whose name a request is made. */
  readonly client: ClientEntry;
  /** A token of that client which only this process knows. */
  readonly token: string;
}

/** The name under which the check makes a request if no client was named. */
const CLIENT_NAME = 'check';

/**
 * The configuration of the environment without all that would disturb the running relay or print anything: it listens nowhere else, keeps
 * its sessions in memory and exports no traces.
 *
 * @param clientName - the client of the directory that is to be asked for; undefined: one that may reach every peer
 * @throws StepFailedError
 */
export function configurationForCheck(
  environment: NodeJS.ProcessEnv | undefined,
  clientName: string | undefined,
): CheckConfiguration {
  const config = loaded(environment);
  const { directory } = config;
  const known =
    clientName === undefined
      ? { name: CLIENT_NAME, limits: {} }
      : directory.clients.find(({ name }) => name === clientName);
  if (known === undefined) {
    throw new StepFailedError('CHECK_PEER_UNKNOWN', `there is no client ${clientName ?? ''} here`);
  }
  const token = randomBytes(32).toString('base64url');
  const sha256 = createHash('sha256').update(token).digest('hex');
  const client = { ...known, tokens: [{ sha256 }] };
  return { config: withoutSurroundings(config, forCheck(directory, client)), client, token };
}

function loaded(environment: NodeJS.ProcessEnv | undefined): RelayConfig {
  try {
    return loadConfig(environment).config;
  } catch (error) {
    if (error instanceof ConfigInvalidError) {
      throw new StepFailedError('CHECK_CONFIGURATION_INVALID', error.problems.join('; '));
    }
    throw error;
  }
}

/** Listeners of peers belong to the running relay. */
function forCheck({ peers, tenants }: Directory, client: ClientEntry): Directory {
  return {
    peers: peers.map((peer) => ({ ...peer, listen: undefined })),
    clients: [client],
    tenants,
  };
}

function withoutSurroundings(config: RelayConfig, directory: Directory): RelayConfig {
  const own = {
    directory,
    redisUrl: 'memory://',
    relayConfigFile: undefined,
    workers: 1,
    host: '127.0.0.1',
    port: 0,
    tlsCertFile: undefined,
    tlsKeyFile: undefined,
    adminPort: undefined,
    otlpEndpoint: undefined,
    otlpTracesEndpoint: undefined,
    debug: false,
    logLevel: 'silent',
  };
  const made = Object.create(RelayConfig.prototype) as RelayConfig;
  return Object.freeze(Object.assign(made, config, own) as RelayConfig);
}

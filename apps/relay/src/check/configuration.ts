import { createHash, randomBytes } from 'node:crypto';

import {
  ConfigInvalidError,
  RelayConfig,
  loadConfig,
  type ClientEntry,
  type Directory,
} from '@relay/config';

import { someOf } from './intermediaries.js';
import type { Listener } from './own-listener.js';
import { StepFailedError } from './steps.js';

/** A configuration for a relay that only checks another, in a process beside the running one. */
export interface CheckConfiguration {
  readonly config: RelayConfig;
  /** Where the running relay listens. */
  readonly listener: Listener;
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
  const { directory, host, port } = config;
  const known = clientNamed(clientName, directory);
  const token = randomBytes(32).toString('base64url');
  const sha256 = createHash('sha256').update(token).digest('hex');
  const client = { ...known, tokens: [{ sha256 }] };
  return {
    config: withoutSurroundings(config, forCheck(directory, client)),
    listener: { host, port },
    client,
    token,
  };
}

function clientNamed(
  name: string | undefined,
  { clients, peers }: Directory,
): Omit<ClientEntry, 'tokens'> {
  const known = clients.find((client) => client.name === name);
  if (known !== undefined) {
    return known;
  }
  // That of the variables has no name.
  const named = clients.map((client) => client.name).filter((known) => known !== '');
  const names = named.length === 0 ? 'none has a name' : `there are ${someOf(named)}`;
  if (name !== undefined) {
    throw new StepFailedError('CHECK_CLIENT_UNKNOWN', `there is no client ${name}: ${names}`);
  }
  if (peers.filter(({ reach }) => reach.kind === 'named').length > 1) {
    const cause = `each client has a secret of its own, and none is named: ${names}`;
    throw new StepFailedError('CHECK_CLIENT_UNKNOWN', cause);
  }
  return { name: CLIENT_NAME, limits: {} };
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

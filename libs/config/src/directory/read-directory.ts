import { basename } from 'node:path';

import { ConfigInvalidError } from '../config.errors.js';
import type { RelayConfig } from '../relay-config.js';
import {
  clientsOfEnvironment,
  peersOfEnvironment,
  tenantsOfEnvironment,
} from './directory-of-environment.js';
import { readDirectoryFile, type DirectoryParts } from './directory-file.js';
import { directoryOfDomainMap } from './directory-of-domain-map.js';
import type { Directory } from './directory.js';

/** A directory, and what is to be said of it. */
export interface LoadedDirectory {
  readonly directory: Directory;
  /** What an operator should fix: one line each, which never shows a value. */
  readonly warnings: readonly string[];
  /** The paths of the files that RELAY_CONFIG_FILE names. */
  readonly files: readonly string[];
}

const directoryOfVariables = (config: RelayConfig): Directory =>
  config.domainMap === undefined
    ? {
        peers: peersOfEnvironment(config),
        clients: clientsOfEnvironment(config),
        tenants: tenantsOfEnvironment(config),
      }
    : directoryOfDomainMap(config, config.domainMap);

/**
 * What a relay cannot do without. Without a file, the variables are required one by one. A part that the file has may be empty: if
 * the last entry is removed, it must not stay in use because the file without it is refused.
 */
const missingFrom = ({ peers, clients, tenants }: Directory, has: DirectoryParts): string[] => [
  ...(peers.length === 0 && has.peers === undefined
    ? ['there is no peer: add one under peers, or set CLIENT_ID_SECRET']
    : []),
  ...(clients.length + tenants.length === 0 && (has.clients ?? has.tenants) === undefined
    ? [
        'there is neither a client nor a tenant: add one under clients or tenants, or set OUTBOUND_TOKEN or UPSTREAM',
      ]
    : []),
];

/** Why nobody can use a relay, if that is so. */
const uselessnessOf = ({ peers, clients, tenants }: Directory): string[] => [
  ...(peers.length === 0 ? ['there is no peer: this relay reaches none, and none may enter'] : []),
  ...(clients.length + tenants.length === 0
    ? ['there is neither a client nor a tenant: nobody may call this relay']
    : []),
];

/**
 * Combines the variables of a configuration with its RELAY_CONFIG_FILE, if there is one.
 *
 * @param config - need not have a `directory` yet
 * @throws ConfigInvalidError with all problems of the file together
 */
export function readDirectory(
  config: RelayConfig,
  environment: NodeJS.ProcessEnv,
): LoadedDirectory {
  const ofEnvironment = directoryOfVariables(config);
  const { relayConfigFile } = config;
  if (relayConfigFile === undefined) {
    return { directory: ofEnvironment, warnings: [], files: [] };
  }
  const { parts, warnings, files } = readDirectoryFile(relayConfigFile, environment, config);
  const directory = {
    peers: parts.peers ?? ofEnvironment.peers,
    clients: parts.clients ?? ofEnvironment.clients,
    tenants: parts.tenants ?? ofEnvironment.tenants,
  };
  const inFile = (line: string): string => `${basename(relayConfigFile)}:1: ${line}`;
  const missing = missingFrom(directory, parts);
  if (missing.length > 0) {
    throw new ConfigInvalidError(missing.map(inFile));
  }
  return { directory, warnings: [...warnings, ...uselessnessOf(directory).map(inFile)], files };
}

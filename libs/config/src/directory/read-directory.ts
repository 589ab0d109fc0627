import type { RelayConfig } from '../relay-config.js';
import {
  clientsOfEnvironment,
  peersOfEnvironment,
  tenantsOfEnvironment,
} from './directory-of-environment.js';
import { readDirectoryFile } from './directory-file.js';
import type { Directory } from './directory.js';

/** A directory, and what is to be said of it. */
export interface LoadedDirectory {
  readonly directory: Directory;
  /** What an operator should fix: one line each, which never shows a value. */
  readonly warnings: readonly string[];
  /** The paths of the files that RELAY_CONFIG_FILE names. */
  readonly files: readonly string[];
}

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
  const ofEnvironment: Directory = {
    peers: peersOfEnvironment(config),
    clients: clientsOfEnvironment(config),
    tenants: tenantsOfEnvironment(config),
  };
  if (config.relayConfigFile === undefined) {
    return { directory: ofEnvironment, warnings: [], files: [] };
  }
  const { parts, warnings, files } = readDirectoryFile(
    config.relayConfigFile,
    environment,
    config,
  );
  const directory = {
    peers: parts.peers ?? ofEnvironment.peers,
    clients: parts.clients ?? ofEnvironment.clients,
    tenants: parts.tenants ?? ofEnvironment.tenants,
  };
  return { directory, warnings, files };
}

import { basename, dirname, resolve } from 'node:path';

import { ConfigInvalidError } from '../config.errors.js';
import type { RelayConfig } from '../relay-config.js';
import { Refused } from '../rules/rule.js';
import { origin } from '../rules/url.js';
import type { Directory } from './directory.js';
import { readClients } from './file/clients-of-file.js';
import { closest } from './file/closest.js';
import { variablesInstead } from './file/variables-instead.js';
import type { FileContext } from './file/context.js';
import { checkListenClients } from './file/listen-clients.js';
import { NamedFiles } from './file/named-files.js';
import { readPeers } from './file/peers-of-file.js';
import type { Problems } from './file/problems.js';
import { readTenants } from './file/tenants-of-file.js';
import { NAME } from './file/values.js';
import { isMapping, readYaml, type Plain, type PlainMapping } from './file/yaml-text.js';

/** The parts of a directory that a file has. A part that it lacks is undefined. */
export type DirectoryParts = { readonly [Part in keyof Directory]?: Directory[Part] | undefined };

/** A directory file that has been read and found valid. */
export interface ReadDirectoryFile {
  readonly parts: DirectoryParts;
  /** What an operator should fix: one line each, which never shows a value. */
  readonly warnings: readonly string[];
  /** The paths of the files that it names, whose content may change as well. */
  readonly files: readonly string[];
}

/** Several thousand entries. Parsing as much takes about two seconds. */
const MAX_FILE_BYTES = 1_048_576;

const PARTS = ['peers', 'clients', 'tenants'] as const;

type Part = (typeof PARTS)[number];
type Entries = readonly (readonly [name: string, content: Plain])[];

const isName: Record<Part, (key: string) => string | undefined> = {
  peers: (key) => (NAME.test(key) ? undefined : 'must be 1 to 64 letters, digits, "_" or "-"'),
  clients: (key) => (NAME.test(key) ? undefined : 'must be 1 to 64 letters, digits, "_" or "-"'),
  tenants: (key) => {
    const read = origin(key);
    return read instanceof Refused ? read.problems.join() : undefined;
  },
};

const checkTop = (content: PlainMapping, problems: Problems): void => {
  for (const key of Object.keys(content).filter((known) => !PARTS.includes(known as Part))) {
    const meant = closest(key, PARTS);
    if (meant === undefined) {
      problems.addAt(problems.lineOf([key]), `is an unknown key: there are ${PARTS.join(', ')}`);
    } else {
      problems.add([key], `is no key: did you mean ${meant}?`);
    }
  }
};

/** The entries of a part under their names; undefined if the file lacks the part. */
const entriesOf = (part: Part, file: PlainMapping, problems: Problems): Entries | undefined => {
  const content = file[part];
  if (content === undefined) {
    return undefined;
  }
  if (!isMapping(content)) {
    problems.add([part], 'must be a mapping of names to entries, or {} if there are none');
    return [];
  }
  return Object.entries(content).filter(([name]) => {
    const problem = isName[part](name);
    if (problem !== undefined) {
      // What stands in the place of a name may be a secret.
      problems.addAt(problems.lineOf([part, name]), `${part} has a name here that ${problem}`);
    }
    return problem === undefined;
  });
};

const readParts = (content: PlainMapping, context: FileContext): DirectoryParts => {
  const { problems } = context;
  checkTop(content, problems);
  const peerEntries = entriesOf('peers', content, problems);
  const clientEntries = entriesOf('clients', content, problems);
  const tenantEntries = entriesOf('tenants', content, problems);
  const names = peerEntries?.map(([name]) => name) ?? [];
  const peers = peerEntries && readPeers(peerEntries, context);
  const listenClients = new Set(peers?.flatMap(({ listen }) => listen?.client ?? []));
  const clients = clientEntries && readClients(clientEntries, names, listenClients, context);
  const clientNames = clientEntries?.map(([name]) => name) ?? [];
  checkListenClients(peers ?? [], clients ?? [], clientNames, problems);
  return {
    peers,
    clients,
    tenants: tenantEntries && readTenants(tenantEntries, names, context),
  };
};

const refuse = (line: string): never => {
  throw new ConfigInvalidError([line]);
};

/**
 * Reads and validates a directory file, and every file that it names.
 *
 * @param config - of the variables, some of which are defaults of the entries
 * @param environment - for what the file takes from variables (`{ env: NAME }`)
 * @throws ConfigInvalidError with all problems together, each with file, line and key
 */
export function readDirectoryFile(
  path: string,
  environment: NodeJS.ProcessEnv,
  config: RelayConfig,
): ReadDirectoryFile {
  const absolutePath = resolve(path);
  const name = basename(path);
  const files = new NamedFiles(dirname(absolutePath));
  const bytes = files.read(absolutePath, MAX_FILE_BYTES);
  if (bytes instanceof Refused) {
    return refuse(`RELAY_CONFIG_FILE ${bytes.problems.join()}`);
  }
  const { content, problems } = readYaml(bytes.toString('utf8').replace(/^\uFEFF/, ''), name);
  if (problems.errors.length > 0) {
    throw new ConfigInvalidError(problems.errors);
  }
  if (!isMapping(content)) {
    return refuse(`${name}:1: must be a mapping with at least one of the keys ${PARTS.join(', ')}`);
  }
  for (const part of PARTS.filter((key) => content[key] !== undefined)) {
    variablesInstead(part, environment).forEach((variable) => {
      problems.add([part], `must not be there together with the variable ${variable}`);
    });
  }
  const parts = readParts(content, { files, problems, environment, config });
  if (problems.errors.length > 0) {
    throw new ConfigInvalidError(problems.errors, files.paths);
  }
  return { parts, warnings: problems.warnings, files: files.paths };
}

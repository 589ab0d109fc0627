import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { startRelay, type Adjust, type RelayEnvironment, type TestRelay } from './relay.js';

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The content of a RELAY_CONFIG_FILE. The secrets of its peers are files that are named after them. */
export interface DirectoryContent {
  readonly peers?: Entries;
  readonly clients?: Entries;
  readonly tenants?: Entries;
}

/** A relay that takes its peers, clients and tenants from a file. */
export interface DirectoryRelay extends TestRelay {
  /** Replaces the file in one step, has it read at once, and waits until the relay uses it. */
  change(content: DirectoryContent): Promise<void>;
  /** Replaces the text of the file in one step. */
  write(text: string): Promise<void>;
}

/** A relay's log says this once it uses another content of its file. */
const REPLACED = 'the directory was replaced';

/** Makes the relays in this process read their files at once, as the signal does: without it they look once a second. */
export function readDirectoriesNow(): void {
  process.emit('SIGHUP', 'SIGHUP');
}

/** A secret for each of these peers. */
export function secretsFor<Name extends string>(
  ...names: readonly Name[]
): Readonly<Record<Name, string>> {
  const entries = names.map((name) => [name, randomBytes(32).toString('base64url')] as const);
  return Object.fromEntries(entries) as Record<Name, string>;
}

/** The entry of a peer whose secret is one of those of the relay. */
export function peerWith(secret: string, rest: Readonly<Record<string, unknown>> = {}) {
  return { secret: { file: secret }, ...rest };
}

/** @param secrets - by the names under which the content refers to them */
export async function startDirectoryRelay(
  content: DirectoryContent,
  secrets: Readonly<Record<string, string>>,
  environment: RelayEnvironment = {},
  adjust?: Adjust,
): Promise<DirectoryRelay> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'relay.yaml');
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  for (const [name, secret] of Object.entries(secrets)) {
    await writeFile(join(folder.path, name), secret);
  }
  await write(JSON.stringify(content));
  // What a file has is in no variable.
  const unset = { UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '' };
  const relay = await startRelay({ ...unset, ...environment, RELAY_CONFIG_FILE: file }, adjust);
  const replacements = (): number => relay.log.items.filter(({ msg }) => msg === REPLACED).length;
  return {
    ...relay,
    write,
    change: async (next) => {
      const before = replacements();
      await write(JSON.stringify(next));
      readDirectoriesNow();
      await relay.log.find(({ msg }) => msg === REPLACED && replacements() > before);
    },
    close: async () => {
      await relay.close();
      await folder.close();
    },
  };
}

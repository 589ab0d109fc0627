import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { join } from 'node:path';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';

/** What a directory file says, as the YAML of an operator would. */
export interface DirectoryContent {
  readonly peers?: Readonly<Record<string, object>>;
  readonly clients?: Readonly<Record<string, object>>;
  readonly tenants?: Readonly<Record<string, object>>;
}

/** Contents of the files that a directory file names, by name. */
export type NamedFiles = Readonly<Record<string, string>>;

/** A directory file, and the files that it names, in a folder as Kubernetes mounts it: the names lead into `..data`. */
export interface DirectoryFile {
  readonly path: string;
  /** Replaces all files at once, as Kubernetes does: `..data` then leads to another folder. */
  swap(content: DirectoryContent | string, files: NamedFiles): void;
  /** Overwrites the directory file where it is, as an editor or `cat` does. */
  write(content: DirectoryContent | string): void;
  /** Overwrites a file that it names. */
  writeNamed(name: string, text: string): void;
  close(): Promise<void>;
}

/** The text of a directory file. JSON is YAML, and has each key on a line of its own. */
export function directoryText(content: DirectoryContent | string): string {
  return typeof content === 'string' ? content : JSON.stringify(content, undefined, 2);
}

/** The entry of a client that holds this token. */
export function clientWith(token: string, ...peers: readonly string[]): object {
  return { tokens: [{ sha256: hash('sha256', token) }], peers };
}

/** The entries of a part except one. */
export function without(
  entries: Readonly<Record<string, object>>,
  name: string,
): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => key !== name));
}

/** Creates a directory file and the files that it names. */
export async function createDirectoryFile(
  content: DirectoryContent | string,
  files: NamedFiles,
): Promise<DirectoryFile> {
  const folder = await temporaryFolder();
  const data = join(folder.path, '..data');
  const linked = new Set<string>();
  let version = 0;
  const swap: DirectoryFile['swap'] = (next, named) => {
    const before = join(folder.path, `..${version}`);
    version += 1;
    const current = join(folder.path, `..${version}`);
    mkdirSync(current);
    for (const [name, text] of Object.entries({ ...named, 'relay.yaml': directoryText(next) })) {
      writeFileSync(join(current, name), text);
      if (!linked.has(name)) {
        linked.add(name);
        symlinkSync(join('..data', name), join(folder.path, name));
      }
    }
    symlinkSync(`..${version}`, join(folder.path, '..data_tmp'));
    renameSync(join(folder.path, '..data_tmp'), data);
    rmSync(before, { recursive: true, force: true });
  };
  swap(content, files);
  return {
    path: join(folder.path, 'relay.yaml'),
    swap,
    write: (next) => {
      writeFileSync(join(data, 'relay.yaml'), directoryText(next));
    },
    writeNamed: (name, text) => {
      writeFileSync(join(data, name), text);
    },
    close: () => folder.close(),
  };
}

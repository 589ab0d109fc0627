import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bytesOfSize } from '../http-cases/bodies.js';
import { forThisTest } from '../lifecycle/resources.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { fileTree } from './file-tree.js';
import type { GitServer } from './git-server.js';
import { runs } from './program.js';

const LARGE = bytesOfSize(5_000_000);
/** Git sends more than 1 MiB in chunks, after a request that finds out whether it may. */
const IN_CHUNKS = bytesOfSize(3_000_000);

/** Commits get the same names on both ways. */
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};

/** How a user of Git reaches a server. */
export interface GitOrigin {
  readonly url: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of Git that a user of this origin has. */
  readonly settings?: readonly string[];
}

/** Pushes a commit with two large files, one of them by Git LFS, and clones it. */
export async function pushAndClone(way: GitOrigin, server: GitServer) {
  const home = forThisTest(await temporaryFolder());
  const env = { ...IDENTITY, HOME: home.path, ...way.env };
  const git = (where: string, ...args: string[]) => runs('git', args, { cwd: where, env });
  const remote = `${way.url}/team/app.git`;
  const source = join(home.path, 'source');
  await mkdir(source);
  await git(home.path, 'lfs', 'install', '--skip-repo');
  for (const value of way.settings ?? []) {
    await git(home.path, 'config', '--global', '--add', `http.${way.url}/.extraHeader`, value);
  }
  await git(source, 'init', '--quiet', '--initial-branch=main');
  await git(source, 'lfs', 'install', '--local');
  await git(source, 'lfs', 'track', '*.bin');
  await writeFile(join(source, 'large.bin'), LARGE);
  await writeFile(join(source, 'large.dat'), IN_CHUNKS);
  await writeFile(join(source, 'readme.txt'), 'small\n'.repeat(1_000));
  await git(source, 'add', '.');
  await git(source, 'commit', '--quiet', '-m', 'first');
  await git(source, 'remote', 'add', 'origin', remote);
  await git(source, 'push', '--quiet', 'origin', 'main');
  await git(home.path, 'clone', '--quiet', remote, 'clone');
  const clone = join(home.path, 'clone');
  return {
    commit: await git(clone, 'rev-parse', 'HEAD'),
    large: (await readFile(join(clone, 'large.bin'))).equals(LARGE),
    cloned: await fileTree(clone, (path) => !path.startsWith('.git/')),
    stored: await fileTree(server.objects),
  };
}

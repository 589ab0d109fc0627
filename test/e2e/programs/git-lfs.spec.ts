import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { directWay, tunnelledWay } from '../../support/programs/both-ways.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { linesOf } from '../../support/programs/forward.js';
import { hasGitLfs, startGitServer, type GitServer } from '../../support/programs/git-server.js';
import { runs } from '../../support/programs/program.js';
import { startRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';

const LARGE = bytesOfSize(5_000_000);

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

interface Origin {
  readonly url: string;
  /** Settings of Git that a user of this origin has. */
  readonly settings?: readonly string[];
}

/** Pushes a commit with a large file, and clones it. */
async function pushAndClone(way: Origin, server: GitServer) {
  const home = forThisTest(await temporaryFolder());
  const env = { ...IDENTITY, HOME: home.path };
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

describe.skipIf(!hasGitLfs())('git and git-lfs', () => {
  it('push and clone through the tunnel as they do directly (UPSTREAM_HOST=client)', async () => {
    const one = forThisTest(await startGitServer());
    const other = forThisTest(await startGitServer());
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, { UPSTREAM_HOST: 'client' }));

    const [directly, tunnelled] = await Promise.all([
      pushAndClone(direct, one),
      pushAndClone(tunnel, other),
    ]);

    expect(tunnelled).toEqual(directly);
    // Not their bodies: Git does not pack the same objects in the same way every time.
    expect(linesOf(tunnel)).toEqual(linesOf(direct));
    expect(directly.large).toBe(true);
    const lines = linesOf(tunnel).map((line) => line.replace(/[0-9a-f]{64}/, '<oid>'));
    expect(lines).toContain('PUT /team/app.git/lfs-objects/<oid> 200');
    expect(lines).toContain('GET /team/app.git/lfs-objects/<oid> 200');
    expect(lines).toContain('POST /team/app.git/git-receive-pack 200');
  });

  it('add the token themselves, by http.<url>.extraHeader', async () => {
    const server = forThisTest(await startGitServer());
    const inbound = forThisTest(
      await startRelay({ UPSTREAM: server.url, UPSTREAM_HOST: 'client' }),
    );
    const outbound = forThisTest(await startRelay());
    const { clientHeaders } = tunnelClient(outbound.url, inbound.url);
    const settings = Object.entries(clientHeaders).map(([name, value]) => `${name}: ${value}`);

    const { large } = await pushAndClone({ url: outbound.url, settings }, server);

    expect(large).toBe(true);
    // Only the upload of a large file is a PUT.
    expect(outbound.log.items.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  it('transfer large files outside the tunnel unless UPSTREAM_HOST is client', async () => {
    const server = forThisTest(await startGitServer());
    const tunnel = forThisTest(await tunnelledWay(server));

    const { large } = await pushAndClone(tunnel, server);

    expect(large).toBe(true);
    expect(linesOf(tunnel).filter((line) => line.includes('lfs-objects'))).toEqual([]);
  });
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { curl, hasCurl } from '../../support/clients/curl.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { directWay, tunnelledWay, type Way } from '../../support/programs/both-ways.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { linesOf } from '../../support/programs/forward.js';
import { hasProgram } from '../../support/processes/apt-packages.js';
import { runs } from '../../support/programs/program.js';
import { hasNginx, startNginx, type Nginx } from '../../support/upstreams/nginx.js';

const isThere = hasNginx();
const hasRclone = isThere && hasProgram(['rclone'], 'rclone', 'version');

const OPTIONS = [
  ['UPSTREAM_HOST=client', { UPSTREAM_HOST: 'client' }],
  ['REWRITE_LOCATION=true', { REWRITE_LOCATION: 'true' }],
] as const;

/** nginx compares the host of a destination, without its port, with that of the request. */
const originOf = (way: Way): string => `http://localhost:${way.port}`;

async function startDav(): Promise<Nginx> {
  const nginx = forThisTest(await startNginx());
  await mkdir(join(nginx.root, 'dav'));
  return nginx;
}

async function move(way: Way, nginx: Nginx, destination: string) {
  const one = join(nginx.root, 'dav/one.txt');
  await writeFile(one, 'one');
  const { stdout } = await curl([
    ...['--request', 'MOVE', '--header', `Destination: ${destination}`],
    ...['--output', '/dev/null', '--write-out', '%{http_code}', `${originOf(way)}/dav/one.txt`],
  ]);
  return { status: stdout.toString(), files: await fileTree(nginx.root) };
}

describe.skipIf(!isThere || !hasCurl)('curl and the WebDAV server of nginx', () => {
  it.each(OPTIONS)('MOVE to an address as directly (%s)', async (_option, inbound) => {
    const [one, other] = [await startDav(), await startDav()];
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, inbound));

    const directly = await move(direct, one, `${originOf(direct)}/dav/two.txt`);
    const tunnelled = await move(tunnel, other, `${originOf(tunnel)}/dav/two.txt`);

    expect(tunnelled).toEqual(directly);
    expect(directly.status).toBe('204');
    expect(Object.keys(directly.files)).toEqual(['dav/two.txt']);
  });

  it('fail to MOVE to an address through the tunnel without either option', async () => {
    const nginx = await startDav();
    const tunnel = forThisTest(await tunnelledWay(nginx));

    const { status } = await move(tunnel, nginx, `${originOf(tunnel)}/dav/two.txt`);

    expect(status).toBe('400');
  });

  it.each(OPTIONS)(
    'refuse to MOVE to another server as directly (%s)',
    async (_option, inbound) => {
      const [one, other] = [await startDav(), await startDav()];
      const direct = forThisTest(await directWay(one));
      const tunnel = forThisTest(await tunnelledWay(other, inbound));

      const directly = await move(direct, one, 'http://elsewhere.example/dav/two.txt');
      const tunnelled = await move(tunnel, other, 'http://elsewhere.example/dav/two.txt');

      expect(tunnelled).toEqual(directly);
      expect(directly.status).toBe('400');
    },
  );
});

/** Copies a folder to the server, moves and copies on it, lists it, and copies it back. */
async function useRclone(way: Way, nginx: Nginx) {
  const home = forThisTest(await temporaryFolder());
  const env = {
    RCLONE_CONFIG: join(home.path, 'none.conf'),
    RCLONE_WEBDAV_URL: `${originOf(way)}/dav/`,
    RCLONE_WEBDAV_VENDOR: 'other',
    RCLONE_RETRIES: '1',
    // One at a time: several look for the same folder, or do not, as it happens.
    RCLONE_TRANSFERS: '1',
    RCLONE_CHECKERS: '1',
  };
  await writeFile(join(home.path, 'none.conf'), '');
  const rclone = (...args: string[]) => runs('rclone', args, { cwd: home.path, env });
  const source = join(home.path, 'source');
  await mkdir(join(source, 'deep folder'), { recursive: true });
  await writeFile(join(source, 'large.bin'), bytesOfSize(2_000_000));
  await writeFile(join(source, 'deep folder/ümlaut & more.txt'), 'text');
  await rclone('copy', source, ':webdav:first');
  await rclone('moveto', ':webdav:first/large.bin', ':webdav:first/moved.bin');
  await rclone('copyto', ':webdav:first/moved.bin', ':webdav:first/copied.bin');
  await rclone('moveto', ':webdav:first', ':webdav:second folder');
  const listed = await rclone('lsf', '--recursive', '--format', 'ps', ':webdav:');
  await rclone('copy', ':webdav:second folder', join(home.path, 'back'));
  await rclone('deletefile', ':webdav:second folder/copied.bin');
  return {
    listed: listed.split('\n').sort(),
    back: await fileTree(join(home.path, 'back')),
    stored: await fileTree(nginx.root),
    requests: linesOf(way),
  };
}

describe.skipIf(!hasRclone)('rclone and the WebDAV server of nginx', () => {
  it.each(OPTIONS)('work through the tunnel as they do directly (%s)', async (_option, inbound) => {
    const [one, other] = [await startDav(), await startDav()];
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, inbound));

    const [directly, tunnelled] = await Promise.all([
      useRclone(direct, one),
      useRclone(tunnel, other),
    ]);

    expect(tunnelled).toEqual(directly);
    expect(directly.requests.filter((line) => line.startsWith('MOVE '))).not.toEqual([]);
    const moved = join(other.root, 'dav/second folder/moved.bin');
    expect((await readFile(moved)).equals(bytesOfSize(2_000_000))).toBe(true);
  });
});

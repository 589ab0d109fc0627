import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { hasWget } from '../../support/clients/wget.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import {
  CLIENT_WAYS,
  apiRequests,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { linesOf } from '../../support/programs/forward.js';
import { runs } from '../../support/programs/program.js';
import { hasNginx, startNginx, type Nginx } from '../../support/upstreams/nginx.js';

const MIB = 1024 * 1024;
const LARGE = bytesOfSize(20 * MIB);
const SMALL = bytesOfSize(MIB);

const hasServer = hasNginx();

const shared = sharedResources();
let nginx: Nginx;

beforeAll(async () => {
  if (hasServer) {
    nginx = shared(await startNginx());
    await writeFile(join(nginx.root, 'large.bin'), LARGE);
    await writeFile(join(nginx.root, 'small.bin'), SMALL);
  }
});

/** Runs wget in a folder of its own. @returns the files that are there afterwards */
async function wget(way: ClientWay, ...args: string[]) {
  const folder = forThisTest(await temporaryFolder());
  await writeFile(join(folder.path, 'begun.bin'), SMALL.subarray(0, 300_000));
  await runs('wget', ['--no-config', '--no-verbose', '--tries=1', ...args], {
    cwd: folder.path,
    env: way.env,
  });
  return fileTree(folder.path);
}

async function downloadMirrorAndResume(way: ClientWay) {
  return {
    downloaded: await wget(way, `${way.url}/large.bin`),
    mirrored: await wget(way, '--mirror', '--no-host-directories', `${way.url}/`),
    resumed: await wget(way, '--continue', '--output-document=begun.bin', `${way.url}/small.bin`),
    requests: linesOf(way),
    received: apiRequests(way),
  };
}

describe.skipIf(!hasServer || !hasWget())('wget', () => {
  it.each(CLIENT_WAYS)('downloads, mirrors and resumes through %s as directly', async (name) => {
    const direct = forThisTest(await directClient(nginx));
    const relayed = forThisTest(await relayedClient(name, nginx));

    const directly = await downloadMirrorAndResume(direct);
    const through = await downloadMirrorAndResume(relayed);

    expect(through).toEqual(directly);
    expect(directly.resumed['begun.bin']).toBe(createHash('sha256').update(SMALL).digest('hex'));
    expect(directly.requests).toContain('GET /small.bin 206');
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { hasProgram } from '../../support/processes/apt-packages.js';
import {
  CLIENT_WAYS,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import { runs } from '../../support/programs/program.js';
import {
  startUpstream,
  type Upstream,
  type UpstreamHandler,
} from '../../support/upstreams/upstream.js';

const FILE = bytesOfSize(40 * 1024 * 1024);
const CONNECTIONS = 8;

/** A server of one file, in parts. It sends one octet of each, and the others once so many requests wait. */
async function startFileServer(): Promise<Upstream> {
  const waiting: (() => void)[] = [];
  const handler: UpstreamHandler = async ({ headers }, response) => {
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    const [from, to] = [Number(first), last === '' ? FILE.length - 1 : Number(last)];
    response.writeHead(headers.range === undefined ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': to - from + 1,
      ...(headers.range !== undefined && { 'content-range': `bytes ${from}-${to}/${FILE.length}` }),
    });
    // aria2 opens further connections once the first has an octet.
    response.write(FILE.subarray(from, from + 1));
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length >= CONNECTIONS) {
        waiting.forEach((open) => {
          open();
        });
      }
    });
    response.end(FILE.subarray(from + 1, to + 1));
  };
  return startUpstream(handler);
}

async function download(way: ClientWay): Promise<Buffer> {
  const folder = forThisTest(await temporaryFolder());
  const parts = [`--split=${CONNECTIONS}`, `--max-connection-per-server=${CONNECTIONS}`];
  await runs(
    'aria2c',
    [
      ...['--no-conf', '--quiet', '--max-tries=1', '--file-allocation=none'],
      ...[...parts, '--min-split-size=1M', `${way.url}/file.bin`],
    ],
    { cwd: folder.path, env: way.env },
  );
  return readFile(join(folder.path, 'file.bin'));
}

describe.skipIf(!hasProgram(['aria2'], 'aria2c', '--version'))('aria2', () => {
  it.each(CLIENT_WAYS)(
    'downloads a file with eight connections at once through %s as directly',
    async (name) => {
      const [one, other] = [
        forThisTest(await startFileServer()),
        forThisTest(await startFileServer()),
      ];

      const directly = await download(forThisTest(await directClient(one)));
      const through = await download(forThisTest(await relayedClient(name, other)));

      expect(directly.equals(FILE)).toBe(true);
      expect(through.equals(FILE)).toBe(true);
      expect(other.hits).toBeGreaterThanOrEqual(CONNECTIONS);
    },
  );
});

import type { ServerResponse } from 'node:http';

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { upload } from '../../support/clients/upload.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { PROGRAMS, hasIntermediary } from '../../support/network/intermediaries.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { PLACES, startPathTunnel, type PathTunnel } from '../../support/tunnels/path-tunnel.js';
import { echoBody } from '../../support/upstreams/upstream.js';

const SIZE = 16 * 1024 * 1024;
const REPEATS = 5;

const refuse = (response: ServerResponse, fields: Readonly<Record<string, string>>): void => {
  response.writeHead(413, { 'content-length': '9', ...fields }).end('too large');
};

describe.each(PROGRAMS)('an API that refuses an upload of 16 MiB early, with %s', (program) => {
  const isThere = hasIntermediary(program);

  describe.skipIf(!isThere).each(PLACES)('%s,', (place) => {
    const shared = sharedResources();
    let path: PathTunnel;

    beforeAll(async () => {
      path = shared(await startPathTunnel(program, place));
    });

    afterEach(() => {
      path.upstream.handle(echoBody);
    });

    const statusOfUpload = async (): Promise<string> => {
      const client = forThisTest(openSocket(path.entrance.port));
      const fields = Object.entries(path.clientHeaders).map(([name, value]) => `${name}: ${value}`);
      client.write(`PUT /large HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`);
      client.write(`content-length: ${SIZE}\r\n\r\n`);
      const sending = upload(client.socket, SIZE);
      const response = await client.until('\r\n\r\n').catch(() => client.received);
      await client.close();
      await sending.done;
      return response.toString('latin1').slice(0, 12);
    };

    // With an API that closes behind them, nginx and Apache themselves lose responses, with relays or without.
    const isLossy = place === 'in front of the API' && ['nginx', 'Apache'].includes(program);

    it.each([
      ...(isLossy ? [] : [['closes its connection', { connection: 'close' }] as const]),
      ['keeps its connection', {}] as const,
    ])('and %s, is heard, and the next request succeeds', async (_how, fields) => {
      const statuses: string[] = [];
      for (let count = 0; count < REPEATS; count += 1) {
        path.upstream.handle(async (request, response) => {
          if (request.url === '/large') {
            refuse(response, fields);
          } else {
            await echoBody(request, response);
          }
        });
        statuses.push(await statusOfUpload());
        statuses.push(String((await path.send({ path: '/next' })).status));
      }
      expect(statuses).toEqual(
        Array.from({ length: REPEATS }, () => ['HTTP/1.1 413', '200']).flat(),
      );
    });
  });
});

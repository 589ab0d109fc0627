import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openRequest, streamRequest } from '../../support/clients/client.js';
import { sharedResources, forThisTest } from '../../support/lifecycle/resources.js';
import { PROGRAMS, hasIntermediary } from '../../support/network/intermediaries.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { PLACES, startPathTunnel, type PathTunnel } from '../../support/tunnels/path-tunnel.js';
import { echoBody } from '../../support/upstreams/upstream.js';

const MIB = 1024 * 1024;
const SIZE = 128 * MIB;
/** What the buffers of all sockets on the path, of the relays and of a program may hold. */
const IN_FLIGHT = 64 * MIB;
const PIECE = Buffer.alloc(65_536, 'x');

const isStreamed = ({ url }: { readonly url: string }) => url === '/streamed';

describe.each(PROGRAMS)('%s, configured as docs/deployment.md says,', (program) => {
  const isThere = hasIntermediary(program);

  describe.skipIf(!isThere).each(PLACES)('%s', (place) => {
    const shared = sharedResources();
    let path: PathTunnel;

    beforeAll(async () => {
      path = shared(await startPathTunnel(program, place));
    });

    afterEach(() => {
      path.upstream.handle(echoBody);
      path.upstream.forget();
    });

    /** Lets the test respond to requests for `/streamed`; health checks and others are echoed. */
    const onStreamed = (handler: (response: ServerResponse) => void): void => {
      path.upstream.handle(async (request, response) => {
        if (isStreamed(request)) {
          handler(response);
        } else {
          await echoBody(request, response);
        }
      });
    };

    /** Resolves with the progress once it has not changed during 20 other requests on the same path. */
    const untilStopped = async (progress: () => number): Promise<number> => {
      for (;;) {
        const before = progress();
        for (let count = 0; count < 20; count += 1) {
          await path.send({ path: '/other' });
        }
        if (before > 0 && progress() === before) {
          return before;
        }
      }
    };

    it('forwards a GET, and a POST with its body', async () => {
      expect(await path.send({ path: '/a%2Fb//c;d?e=%2e' })).toMatchObject({ status: 200 });
      expect(await path.send({ method: 'POST', path: '/b', body: 'content' })).toMatchObject({
        status: 200,
        body: Buffer.from('content'),
      });
      const urls = path.upstream.requests.items.map(({ url }) => url);
      expect(urls.filter((url) => url !== '/health/ready')).toEqual(['/a%2Fb//c;d?e=%2e', '/b']);
    });

    it('delivers each event before the next is sent', async () => {
      const opened = new Promise<ServerResponse>((resolve) => {
        onStreamed((response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.flushHeaders();
          resolve(response);
        });
      });
      const [received, response] = await Promise.all([
        streamRequest(path.entrance.url, { path: '/streamed', headers: path.clientHeaders }),
        opened,
      ]);
      for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        response.write(event);
        await received.until(event);
      }
      response.end();
      expect(await received.ended).toBe('complete');
    });

    it('delivers each part of an upload before the next is sent', async () => {
      const socket = forThisTest(openSocket(path.entrance.port));
      const fields = Object.entries(path.clientHeaders).map(([name, value]) => `${name}: ${value}`);
      onStreamed(() => undefined);
      socket.write(`PUT /streamed HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`);
      socket.write('transfer-encoding: chunked\r\n\r\n1\r\na\r\n');
      const { message } = await path.upstream.requests.find(isStreamed);
      const next = async () => String(((await once(message, 'data')) as [Buffer])[0]);
      expect(await next()).toBe('a');
      const second = next();
      socket.write('1\r\nb\r\n');
      expect(await second).toBe('b');
    });

    it('stops the API from sending while the client does not read, and delivers 128 MiB', async () => {
      let written = 0;
      onStreamed((response) => {
        response.writeHead(200, { 'content-length': SIZE });
        void (async () => {
          while (written < SIZE) {
            written += PIECE.length;
            await (response.write(PIECE) ? nextTurn() : once(response, 'drain'));
          }
          response.end();
        })();
      });
      const { message } = await openRequest(path.entrance.url, {
        path: '/streamed',
        headers: path.clientHeaders,
      });

      expect(await untilStopped(() => written)).toBeLessThan(IN_FLIGHT);

      let received = 0;
      message.on('data', (chunk: Buffer) => (received += chunk.length));
      await once(message, 'end');
      expect(received).toBe(SIZE);
    });

    it('stops the client from sending while the API does not read, and delivers 128 MiB', async () => {
      onStreamed(() => undefined);
      const socket = forThisTest(openSocket(path.entrance.port));
      const fields = Object.entries(path.clientHeaders).map(([name, value]) => `${name}: ${value}`);
      socket.write(`PUT /streamed HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`);
      socket.write(`content-length: ${SIZE}\r\n\r\n`);
      let written = 0;
      const writing = (async () => {
        while (written < SIZE) {
          written += PIECE.length;
          await (socket.socket.write(PIECE) ? nextTurn() : once(socket.socket, 'drain'));
        }
      })();
      const request = await path.upstream.requests.find(isStreamed);
      request.message.pause();

      expect(await untilStopped(() => written)).toBeLessThan(IN_FLIGHT);

      let received = 0;
      request.message.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
      await writing;
      expect(await request.outcome).toBe('complete');
      expect(received).toBe(SIZE);
    });
  });
});

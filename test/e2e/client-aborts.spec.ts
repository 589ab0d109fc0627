import { once } from 'node:events';
import { PassThrough } from 'node:stream';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { streamRequest } from '../support/clients/client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';
import { ENCODE_TYPES, IS_OVER_CHANNELS } from '../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

const fields = (): string =>
  Object.entries(tunnel.clientHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

describe('a client that disconnects', () => {
  it.each([
    ['known length', 'content-length: 1000000\r\n', 'some'],
    ['chunked', 'transfer-encoding: chunked\r\n', '4\r\nsome\r\n'],
  ])('during its upload (%s) aborts the request at the upstream', async (_how, framing, part) => {
    tunnel.upstream.handle(() => undefined);
    const socket = openSocket(tunnel.outbound.port);
    socket.write(`POST /upload HTTP/1.1\r\nhost: a\r\n${fields()}${framing}\r\n${part}`);
    const request = await tunnel.upstream.requests.find();
    const [chunk] = (await once(request.message, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('some');

    await socket.close();

    expect(await request.outcome).toBe('aborted');
    expect(request.message.complete).toBe(false);
    expect(tunnel.upstream.hits).toBe(1);
  });

  it.skipIf(IS_OVER_CHANNELS)('during an MTE upload leaves the upstream untouched', async () => {
    const socket = openSocket(tunnel.outbound.port);
    socket.write(
      `POST /upload HTTP/1.1\r\nhost: a\r\n${fields()}x-mte-encode-type: MTE\r\n` +
        'content-length: 10\r\n\r\nsome',
    );
    await tunnel.send({ method: 'HEAD', path: '/paired' });
    const seenBefore = tunnel.upstream.hits;

    await socket.close();

    await tunnel.inbound.log.find(({ code }) => code === 'RELAY_MESSAGE_UNREADABLE');
    expect(tunnel.upstream.hits).toBe(seenBefore);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).not.toContain('/upload');
  });

  it('before the response begins aborts the request at the upstream', async () => {
    tunnel.upstream.handle(() => undefined);
    const socket = openSocket(tunnel.outbound.port);
    socket.write(`GET /wait HTTP/1.1\r\nhost: a\r\n${fields()}\r\n`);
    const request = await tunnel.upstream.requests.find();

    const closed = once(request.message.socket, 'close');
    await socket.close();

    await closed;
    expect(tunnel.upstream.hits).toBe(1);
  });

  it('during its download aborts the response at the upstream', async () => {
    const body = new PassThrough();
    const closed = new Promise<boolean>((resolve) => {
      tunnel.upstream.handle((_request, response) => {
        response.writeHead(200);
        body.pipe(response);
        response.once('close', () => {
          resolve(response.writableFinished);
        });
      });
    });
    body.write('first');
    const response = await streamRequest(tunnel.outbound.url, { headers: tunnel.clientHeaders });
    await response.until('first');

    response.client.destroy();

    expect(await closed).toBe(false);
  });

  it.each(ENCODE_TYPES)(
    'during its download is logged as the cause, and the peer is not suspected (%s)',
    async (type) => {
      const path = `/download-${type}`;
      tunnel.upstream.handle(({ url }, response) => {
        response.writeHead(200);
        if (url === path) {
          response.write('first');
        } else {
          response.end();
        }
      });
      const socket = openSocket(tunnel.outbound.port);
      socket.write(
        `OPTIONS ${path} HTTP/1.1\r\nhost: a\r\n${fields()}x-mte-encode-type: ${type}\r\n\r\n`,
      );
      if (type === 'MKE') {
        await socket.until('first');
      } else {
        // The client sees nothing of an MTE response before its end, but a later response shows that it has begun.
        await tunnel.upstream.requests.find(({ url }) => url === path);
        await tunnel.send({ path: '/seen' });
      }

      await socket.close();

      const line = await tunnel.outbound.log.find(({ method }) => method === 'OPTIONS');
      expect(line).toMatchObject({ code: 'RELAY_CLIENT_GONE', msg: 'request abandoned' });
      expect(tunnel.outbound.log.items.map(({ reason }) => reason)).not.toContain('suspected');
      tunnel.outbound.log.items.length = 0;
    },
  );

  it('leaves the tunnel usable for other clients', async () => {
    const response = await tunnel.send({ path: '/still-here', method: 'HEAD' });

    expect(response.status).toBe(200);
  });
});

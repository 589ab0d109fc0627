import { PassThrough, Readable } from 'node:stream';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, streamRequest } from '../support/clients/client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { ENCODE_TYPES } from '../support/tunnels/transport.js';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
});

/** A body of the given size, generated while it is read. */
function upload(bytes: number): Readable {
  const pieces = function* (): Generator<Buffer> {
    for (let at = 0; at < bytes; at += PIECE.length) {
      yield PIECE;
    }
  };
  return Readable.from(pieces(), { objectMode: false });
}

describe('an early response of the upstream', () => {
  it.each(ENCODE_TYPES)(
    'reaches the client even if the upstream reads none of the body (%s)',
    async (type) => {
      tunnel.upstream.handle((_request, response) => {
        response.writeHead(413).end('too large');
      });

      const response = await tunnel.send({
        method: 'POST',
        headers: { 'x-mte-encode-type': type },
        body: upload(8 * MIB),
      });

      expect(response.status).toBe(413);
      expect(response.body.toString()).toBe('too large');
      expect(tunnel.upstream.hits).toBe(1);
    },
  );

  it('reaches a client that sends its whole body before it reads', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(413).end('too large');
    });
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.socket.pause();
    const fields = Object.entries(tunnel.clientHeaders).map(([name, value]) => `${name}: ${value}`);
    socket.write(`POST /big HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`);
    socket.write(`content-length: ${4 * MIB + 1}\r\n\r\nx`);
    await tunnel.upstream.requests.find();
    await new Promise<void>((resolve) => {
      socket.socket.write(Buffer.alloc(4 * MIB), () => {
        resolve();
      });
    });

    socket.socket.resume();

    expect((await socket.until('too large')).toString('latin1')).toMatch(/^HTTP\/1.1 413 /);
  });

  it('does not leave a connection open on which the next request would hang', async () => {
    tunnel.upstream.handle((request, response) => {
      response.end(request.url === '/next' ? 'next' : 'early');
    });
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    const fields = Object.entries(tunnel.clientHeaders).map(([name, value]) => `${name}: ${value}`);
    const head = (line: string): string =>
      `${line} HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`;
    socket.write(`${head('POST /first')}content-length: 200001\r\n\r\nx`);
    await socket.until('early');
    socket.write(Buffer.alloc(200_000));
    socket.write(`${head('GET /next')}\r\n`);

    // Either the second response arrives, or the first one announced that the connection would close.
    const next = await Promise.race([socket.until('next').catch(() => undefined), socket.ended]);

    expect(next).toBeDefined();
    if (typeof next === 'string') {
      expect(socket.received.toString('latin1')).toMatch(/\r\nconnection: close\r\n/i);
    }
  });

  it('streams to the client while the upload continues', async () => {
    tunnel.upstream.handle((request, response) => {
      response.writeHead(200);
      request.message.pipe(response);
    });
    const body = new PassThrough();
    body.write('first');

    const response = await streamRequest(tunnel.outbound.url, {
      method: 'POST',
      headers: tunnel.clientHeaders,
      body,
    });
    await response.until('first');
    body.end('second');

    expect(await response.ended).toBe('complete');
    expect(Buffer.concat(response.chunks.items).toString()).toBe('firstsecond');
  });
});

describe('an early refusal of a 128 MiB upload', () => {
  it('reaches the client 20 times out of 20', async () => {
    const responses: string[] = [];
    for (let run = 0; run < 20; run += 1) {
      const response = await tunnel.send({
        method: 'POST',
        headers: { 'x-mte-outbound-token': 'wrong' },
        body: upload(128 * MIB),
      });
      responses.push(`${response.status} ${errorOf(response).code}`);
    }

    expect(responses).toEqual(Array(20).fill('401 RELAY_TOKEN_INVALID'));
    expect(tunnel.upstream.hits).toBe(0);
  });
});

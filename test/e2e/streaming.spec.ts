import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openRequest, streamRequest } from '../support/clients/client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

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

/** Opens a response whose head has been sent; the test writes its body. */
async function openResponse(
  head: Record<string, string>,
  { upstream, outbound, clientHeaders } = tunnel,
) {
  const opened = new Promise<ServerResponse>((resolve) => {
    upstream.handle((_request, response) => {
      response.writeHead(200, head);
      response.flushHeaders();
      resolve(response);
    });
  });
  const [received, response] = await Promise.all([
    streamRequest(outbound.url, { path: '/stream', headers: clientHeaders }),
    opened,
  ]);
  return { received, response };
}

describe('server-sent events', () => {
  const EVENTS = { 'content-type': 'text/event-stream; charset=utf-8' };

  it('arrive one at a time, each before the next is written', async () => {
    const { received, response } = await openResponse(EVENTS);

    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      response.write(event);
      await received.until(event);
    }
    response.end();

    expect(await received.ended).toBe('complete');
    expect(received.chunks.items.map(String)).toEqual([
      'data: 1\n\n',
      'data: 2\n\n',
      'data: 3\n\n',
    ]);
  });

  it('may be silent for longer than IDLE_TIMEOUT_MS, unlike other responses', async () => {
    const impatient = forThisTest(await startTunnel({ both: { IDLE_TIMEOUT_MS: '300' } }));
    const { received, response } = await openResponse(EVENTS, impatient);
    response.write('data: 1\n\n');
    await received.until('data: 1');

    const other = await openResponse({ 'content-type': 'text/plain' }, impatient);
    expect(await other.received.ended).toBe('aborted');
    response.end('data: 2\n\n');

    await received.until('data: 2');
    expect(await received.ended).toBe('complete');
  });
});

describe('a response', () => {
  it('delivers its head before its body begins', async () => {
    const { received, response } = await openResponse({ 'x-early': '1' });

    expect(received.message.headers['x-early']).toBe('1');
    expect(received.chunks.items).toEqual([]);
    response.end();
    expect(await received.ended).toBe('complete');
  });
});

describe('back-pressure', () => {
  /** Resolves with the progress once it has not changed during 20 other requests through the same tunnel. */
  const untilStopped = async (progress: () => number, tunnelOfOthers: Tunnel): Promise<number> => {
    for (;;) {
      const before = progress();
      for (let count = 0; count < 20; count += 1) {
        await tunnelOfOthers.send({ path: '/other' });
      }
      if (before > 0 && progress() === before) {
        return before;
      }
    }
  };

  it('stops an upstream from writing while the client does not read', async () => {
    const patient = forThisTest(await startTunnel());
    let written = 0;
    const size = 128 * MIB;
    patient.upstream.handle(async (request, response) => {
      if (request.url !== '/big') {
        await echoBody(request, response);
        return;
      }
      response.writeHead(200, { 'content-length': size });
      while (written < size) {
        const isReady = response.write(PIECE);
        written += PIECE.length;
        await (isReady ? nextTurn() : once(response, 'drain'));
      }
      response.end();
    });
    const { message } = await openRequest(patient.outbound.url, {
      path: '/big',
      headers: patient.clientHeaders,
    });

    expect(await untilStopped(() => written, patient)).toBeLessThan(32 * MIB);

    let received = 0;
    message.on('data', (chunk: Buffer) => (received += chunk.length));
    await once(message, 'end');
    expect(received).toBe(size);
  });

  it('stops a client from writing while the upstream does not read', async () => {
    const patient = forThisTest(await startTunnel());
    const size = 128 * MIB;
    patient.upstream.handle(async (request, response) => {
      if (request.url !== '/big') {
        await echoBody(request, response);
        return;
      }
      request.message.pause();
    });
    const socket = forThisTest(openSocket(patient.outbound.port));
    const fields = Object.entries(patient.clientHeaders).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`PUT /big HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\n`);
    socket.write(`content-length: ${size}\r\n\r\n`);
    let written = 0;
    const writing = (async () => {
      while (written < size) {
        const isReady = socket.socket.write(PIECE);
        written += PIECE.length;
        await (isReady ? nextTurn() : once(socket.socket, 'drain'));
      }
    })();
    const request = await patient.upstream.requests.find(({ url }) => url === '/big');

    expect(await untilStopped(() => written, patient)).toBeLessThan(32 * MIB);

    let received = 0;
    request.message.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await writing;
    expect(await request.outcome).toBe('complete');
    expect(received).toBe(size);
  });
});

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openSocket } from '../../support/network/raw-socket.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';

let tunnel: Tunnel;
let client: Socket;
let received: string;

beforeEach(async () => {
  tunnel = await startTunnel();
  client = connect(tunnel.outbound.port, '127.0.0.1');
  received = '';
  client.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  client.on('error', () => undefined);
  await once(client, 'connect');
});

afterEach(async () => {
  client.destroy();
  await tunnel.close();
});

/** Resolves when the connection is closed, even by a reset, which emits an error first. */
function closed(): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => {
      resolve();
    });
  });
}

function head(startLine: string, ...lines: string[]): string {
  const own = Object.entries(tunnel.clientHeaders).map(([name, value]) => `${name}: ${value}`);
  return [startLine, 'host: api.example.com', ...own, ...lines, '', ''].join('\r\n');
}

describe('a request whose remaining bytes are not HTTP', () => {
  it('does not insert an error into a response that has begun', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200);
      response.write('begun');
    });
    client.write(head('POST /upload HTTP/1.1', 'transfer-encoding: chunked') + '5\r\nhello\r\n');
    while (!received.includes('begun')) {
      await once(client, 'data');
    }
    client.write('not a chunk size\r\n');
    await closed();
    expect(received).not.toContain('HTTP/1.1 400');
    expect(received).not.toContain('forwarded');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('results in an error with forwarded: maybe if part of it was forwarded', async () => {
    let seen: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      seen = resolve;
    });
    tunnel.upstream.handle(({ message }) => {
      message.once('data', () => seen?.());
    });
    client.write(head('POST /upload HTTP/1.1', 'transfer-encoding: chunked') + '5\r\nhello\r\n');
    await arrived;
    client.write('not a chunk size\r\n');
    await closed();
    expect(received).toContain('RELAY_REQUEST_INVALID');
    expect(received).toContain('"forwarded":"maybe"');
  });
});

describe('a pipelined request whose connection ends before its response is due', () => {
  it('never runs, and the one before it is aborted at the upstream', async () => {
    const responses: ServerResponse[] = [];
    tunnel.upstream.handle((_request, response) => {
      responses.push(response);
    });
    client.write(head('GET /first HTTP/1.1') + head('GET /second HTTP/1.1'));
    await tunnel.upstream.requests.count(1);
    const closed = Promise.all(responses.map((response) => once(response, 'close')));
    client.resetAndDestroy();
    await closed;
    expect(responses.every((response) => !response.writableFinished)).toBe(true);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/first']);
  });
});

describe('a pipelined response that is ready before its turn', () => {
  it('waits longer than IDLE_TIMEOUT_MS for a slow response before it', async () => {
    await tunnel.close();
    tunnel = await startTunnel({ both: { IDLE_TIMEOUT_MS: '300' } });
    tunnel.upstream.handle(async ({ url }, response) => {
      if (url === '/slow') {
        await after(1_000);
      }
      response.end(`response to ${url}`);
    });
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(head('GET /slow HTTP/1.1') + head('GET /fast HTTP/1.1'));

    const responded = socket.until('response to /fast').then(() => 'responded');
    expect(await Promise.race([responded, socket.ended])).toBe('responded');
    expect(socket.received.toString()).toContain('response to /slow');
  });
});

describe('a response that follows one whose head was sent alone', () => {
  it('has the length that it announces, even if the relay generated it and it is not ASCII', async () => {
    const opened = new Promise<ServerResponse>((resolve) => {
      tunnel.upstream.handle((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.flushHeaders();
        resolve(response);
      });
    });
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(head('GET /events HTTP/1.1'));
    await socket.until('event-stream');
    (await opened).end('data: over\n\n');
    const { length } = await socket.until('0\r\n\r\n');
    socket.write('GET /api/mte-echo/caf%C3%A9 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');

    const response = (await socket.all()).subarray(length).toString('latin1');
    const [fields = '', body] = response.split('\r\n\r\n');
    expect(fields).toContain(`content-length: ${body?.length}`);
    expect(Buffer.from(body ?? '', 'latin1').toString()).toContain('café');
  });
});

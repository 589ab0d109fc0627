import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startTunnel, type Tunnel } from '../../support/tunnel.js';

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

/** Also where the end is a reset, which is an error first. */
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

describe('a request that cannot be parsed any more', () => {
  it('does not write into the answer that has begun', async () => {
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

  it('is told that it may have been forwarded where it was', async () => {
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

describe('a pipelined request whose connection ends before its turn', () => {
  it('is given up at the upstream, like the one before it', async () => {
    const responses: ServerResponse[] = [];
    tunnel.upstream.handle((_request, response) => {
      responses.push(response);
    });
    client.write(head('GET /first HTTP/1.1') + head('GET /second HTTP/1.1'));
    await tunnel.upstream.requests.count(2);
    const closed = Promise.all(responses.map((response) => once(response, 'close')));
    client.resetAndDestroy();
    await closed;
    expect(responses.every((response) => !response.writableFinished)).toBe(true);
  });
});

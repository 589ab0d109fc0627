import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { startRawServer, type RawSocket } from '../../../test/support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import {
  echoBody,
  startUpstream,
  type Upstream,
} from '../../../test/support/upstreams/upstream.js';
import { Exchange } from './exchange.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };

const shared = sharedResources();
let upstream: Upstream;
let agent: Agent;

beforeAll(async () => {
  agent = new Agent({ pipelining: 1 });
  shared({ close: () => agent.destroy() });
  upstream = shared(await startUpstream());
});

interface Sent {
  readonly exchange: Exchange;
  readonly seen: ExchangeRecorder;
}

function send(
  origin: string,
  body?: Buffer | AsyncIterable<Buffer>,
  { method = 'POST', headers = [] as string[], path = '/' } = {},
): Sent {
  const seen = new ExchangeRecorder();
  const exchange = new Exchange(LIMITS, seen);
  exchange.start(agent, { origin, method, path, headers, body });
  return { exchange, seen };
}

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) {
    await nextTurn();
    yield Buffer.from(text);
  }
}

/** A server that sends these bytes once a request head has arrived. */
async function serverSending(bytes: string, then?: (connection: RawSocket) => void) {
  return forThisTest(
    await startRawServer((connection) => {
      void connection.until('\r\n\r\n').then(() => {
        connection.write(bytes);
        then?.(connection);
      });
    }),
  );
}

describe('an exchange', () => {
  it('sends the request as given, and reports head, data and end in this order', async () => {
    upstream.handle((_request, response) => {
      response.writeHead(201, ['Set-Cookie', 'a=1', 'X-Name', 'v', 'Set-Cookie', 'b=2']);
      response.write('hello');
      response.end();
    });
    const { seen } = send(upstream.url, undefined, {
      method: 'GET',
      path: '/a?b=c',
      headers: ['x-one', '1', 'x-two', '2', 'x-one', '3'],
    });
    expect(await seen.end).toBe('end');
    expect(seen.events).toEqual(['head', 'data', 'end']);
    expect(seen.status).toBe(201);
    expect(seen.fields.slice(0, 6)).toEqual([
      ...['Set-Cookie', 'a=1', 'X-Name', 'v', 'Set-Cookie', 'b=2'],
    ]);
    expect(seen.body.toString()).toBe('hello');

    const request = upstream.requests.items.at(-1)!;
    expect(request).toMatchObject({ method: 'GET', url: '/a?b=c' });
    expect(request.headers).toMatchObject({ 'x-one': '1, 3', 'x-two': '2' });
  });

  it('sends a whole body with its length, and a body in chunks as chunked', async () => {
    upstream.handle(echoBody);
    const whole = send(upstream.url, Buffer.from('hello'));
    expect(await whole.seen.end).toBe('end');
    expect(upstream.requests.items.at(-1)?.headers['content-length']).toBe('5');
    expect(whole.seen.body.toString()).toBe('hello');

    const chunked = send(upstream.url, chunks('hel', 'lo ', 'world'));
    expect(await chunked.seen.end).toBe('end');
    expect(upstream.requests.items.at(-1)?.headers['transfer-encoding']).toBe('chunked');
    expect(chunked.seen.body.toString()).toBe('hello world');
  });

  it('sends a body in chunks with the length in its head, if there is one', async () => {
    upstream.handle(echoBody);
    const { seen } = send(upstream.url, chunks('hello', 'world'), {
      headers: ['content-length', '10'],
    });
    expect(await seen.end).toBe('end');
    expect(upstream.requests.items.at(-1)?.headers['content-length']).toBe('10');
    expect(seen.body.toString()).toBe('helloworld');
  });

  it('reports the octets of a response head unchanged', async () => {
    const server = await serverSending(
      'HTTP/1.1 200 OK\r\nx: \xe9\xff\r\ncontent-length: 0\r\n\r\n',
    );
    const { seen } = send(server.url, undefined, { method: 'GET' });
    expect(await seen.end).toBe('end');
    expect(seen.fields.slice(0, 2)).toEqual(['x', '\xe9\xff']);
  });

  it('does not report interim responses', async () => {
    const server = await serverSending(
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
        'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    );
    const { seen } = send(server.url, undefined, { method: 'GET' });
    expect(await seen.end).toBe('end');
    expect(seen.events).toEqual(['head', 'end']);
    expect(seen.status).toBe(204);
  });

  it.each([
    ['GET', 1],
    ['HEAD', 3],
  ])('keeps the connection for the next exchange, except after HEAD (%s)', async (...row) => {
    const [method, connections] = row;
    const ports = new Set<number | undefined>();
    const server = forThisTest(
      await startUpstream(({ message }, response) => {
        ports.add(message.socket.remotePort);
        response.setHeader('content-length', '5');
        response.end(method === 'HEAD' ? undefined : 'hello');
      }),
    );
    for (let count = 0; count < 3; count += 1) {
      const { seen } = send(server.url, undefined, { method });
      expect(await seen.end).toBe('end');
      await nextTurn();
    }
    expect(ports.size).toBe(connections);
  });

  it('ends if the response arrives before the request has been sent', async () => {
    upstream.handle((_request, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large');
    });
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        await nextTurn();
        yield Buffer.alloc(65_536);
      }
    }
    const { seen } = send(upstream.url, endless());
    expect(await seen.end).toBe('end');
    expect(seen.status).toBe(413);
    expect(seen.body.toString()).toBe('too large');
  });
});

describe('the sender of a response', () => {
  it('waits while its receiver is not ready, and continues when it is', async () => {
    const bytes = 48 * 1024 * 1024;
    let isSent = false;
    upstream.handle((_request, response) => {
      response.end(Buffer.alloc(bytes), () => {
        isSent = true;
      });
    });
    const { exchange, seen } = send(upstream.url, undefined, { method: 'GET' });
    seen.isReady = false;
    await seen.data;
    const received = seen.body.length;
    for (let turn = 0; turn < 50; turn += 1) {
      await nextTurn();
    }
    // Data that was parsed already may still be reported.
    expect(seen.body.length - received).toBeLessThanOrEqual(256 * 1024);
    expect(isSent).toBe(false);

    seen.isReady = true;
    exchange.resume();
    expect(await seen.end).toBe('end');
    expect(seen.body.length).toBe(bytes);
  });
});

describe('the source of a body', () => {
  it('is read only as fast as the connection takes it', async () => {
    const server = forThisTest(
      await startRawServer((connection) => {
        connection.socket.pause();
      }),
    );
    let requested = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        requested += 65_536;
        await nextTurn();
        yield Buffer.alloc(65_536);
      }
    }
    const { exchange, seen } = send(server.url, endless());
    let before = -1;
    while (requested > before) {
      before = requested;
      for (let turn = 0; turn < 50; turn += 1) {
        await nextTurn();
      }
    }
    expect(requested).toBeLessThan(128 * 1024 * 1024);
    exchange.abort(new Error('enough'));
    expect(await seen.end).toMatchObject({ kind: 'aborted' });
  });
});

describe('an exchange that is over', () => {
  it('is not changed by a late abort or resume', async () => {
    upstream.handle(echoBody);
    const { exchange, seen } = send(upstream.url, Buffer.from('hello'));
    await seen.end;
    exchange.abort(new Error('late'));
    exchange.resume();
    await nextTurn();
    expect(seen.events).toEqual(['head', 'data', 'end']);
  });
});

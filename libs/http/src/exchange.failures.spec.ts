import { createServer as createTcpServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { Agent } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { closedPort, listen } from '../../../test/support/network/listen.js';
import { startRawServer, type RawSocket } from '../../../test/support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { selfSignedCertificate } from '../../../test/support/certificates/self-signed-certificate.js';
import { echoBody, startUpstream } from '../../../test/support/upstreams/upstream.js';
import { Exchange } from './exchange.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };

const shared = sharedResources();
let agent: Agent;

beforeAll(() => {
  agent = new Agent({ pipelining: 1 });
  shared({ close: () => agent.destroy() });
});

function send(
  origin: string,
  body?: Buffer | AsyncIterable<Buffer>,
  headers: string[] = [],
  dispatcher = agent,
): ExchangeRecorder {
  const seen = new ExchangeRecorder();
  new Exchange(LIMITS, seen).start(dispatcher, {
    origin,
    method: 'POST',
    path: '/',
    headers,
    body,
  });
  return seen;
}

/** A server that runs `act` once a request head has arrived. */
async function serverThat(act: (connection: RawSocket) => void): Promise<string> {
  const server = await startRawServer((connection) => {
    void connection.until('\r\n\r\n').then(() => {
      act(connection);
    });
  });
  return forThisTest(server).url;
}

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) {
    await nextTurn();
    yield Buffer.from(text);
  }
}

describe('an exchange that gets no connection fails unsent', () => {
  it('if nothing listens on the port', async () => {
    const port = await closedPort(createTcpServer());
    for (const body of [undefined, Buffer.from('body'), chunks('body')]) {
      const seen = send(`http://127.0.0.1:${port}`, body);
      expect(await seen.end).toMatchObject({
        kind: 'unreachable',
        wasSent: false,
        cause: { code: 'ECONNREFUSED' },
      });
      expect(seen.events).toEqual(['failure']);
    }
  });

  it('if the name does not resolve', async () => {
    const notFound = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const nameless = new Agent({
      connect: {
        lookup: (_name, _options, callback) => {
          callback(notFound, '');
        },
      },
    });
    forThisTest({ close: () => nameless.destroy() });
    expect(await send('http://relay.example', undefined, [], nameless).end).toEqual({
      kind: 'unreachable',
      wasSent: false,
      hasHead: false,
      cause: notFound,
    });
  });

  it('if the certificate of the other side is not trusted', async () => {
    const { port } = forThisTest(await listen(createTlsServer(selfSignedCertificate())));
    expect(await send(`https://127.0.0.1:${port}`).end).toMatchObject({
      kind: 'unreachable',
      wasSent: false,
    });
  });

  it('if the other side does not speak TLS', async () => {
    const server = forThisTest(
      await startRawServer((connection) => {
        connection.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      }),
    );
    expect(await send(server.url.replace('http:', 'https:')).end).toMatchObject({
      kind: 'unreachable',
      wasSent: false,
    });
  });

  it('if connecting takes longer than the limit', async () => {
    const server = forThisTest(await startRawServer(() => undefined));
    const impatient = new Agent({ connect: { timeout: 100 } });
    forThisTest({ close: () => impatient.destroy() });
    const origin = server.url.replace('http:', 'https:');
    expect(await send(origin, undefined, [], impatient).end).toMatchObject({
      kind: 'connect-timeout',
      wasSent: false,
    });
  });

  it('if the request itself cannot be written', async () => {
    const upstream = forThisTest(await startUpstream());
    const seen = send(upstream.url, undefined, ['x-name', 'a\r\nb: c']);
    expect(await seen.end).toMatchObject({ wasSent: false });
    expect(seen.events).toEqual(['failure']);
    expect(upstream.hits).toBe(0);
  });
});

describe('a connection that is lost', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n';
  const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

  it.each<[when: string, act: (connection: RawSocket) => void, events: string[]]>([
    ['by a reset before the head', ({ socket }) => socket.resetAndDestroy(), ['failure']],
    ['by an end before the head', ({ socket }) => socket.end(), ['failure']],
    ['within the head', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nx: '), ['failure']],
    [
      'before a body of known length is complete',
      ({ socket }) => socket.end(`${HEAD}hello`),
      ['head', 'data', 'failure'],
    ],
    [
      'before a chunked body is complete',
      ({ socket }) => socket.end(`${CHUNKED}5\r\nhello\r\n`),
      ['head', 'data', 'failure'],
    ],
    [
      'by a reset within the body',
      ({ socket }) => socket.write(`${HEAD}hello`, () => socket.resetAndDestroy()),
      ['head', 'data', 'failure'],
    ],
  ])('%s fails the exchange as reset and possibly sent', async (_when, act, events) => {
    const seen = send(await serverThat(act));
    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(seen.events.filter((event, at) => event !== seen.events[at - 1])).toEqual(events);
  });

  it('during the upload fails the exchange as reset and possibly sent', async () => {
    const origin = await serverThat(({ socket }) => socket.resetAndDestroy());
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        await nextTurn();
        yield Buffer.alloc(1_024);
      }
    }
    const seen = send(origin, endless());
    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(seen.events).toEqual(['failure']);
  });
});

describe('a response that violates HTTP', () => {
  it.each([
    ['not HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    [
      'two different lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    ],
    ['a length that is not a number', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'],
    [
      'both a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a head beyond the limit', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
    [
      'an upgrade that was not requested',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
  ])('fails the exchange before its head: %s', async (_what, bytes) => {
    const seen = send(
      await serverThat((connection) => {
        connection.write(bytes);
      }),
    );
    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(seen.events).toEqual(['failure']);
  });

  it('fails the exchange at a malformed chunk, after the data before it', async () => {
    const seen = send(
      await serverThat((connection) => {
        connection.write(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
        );
      }),
    );
    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(seen.body.toString()).toBe('hello');
  });
});

describe('a body that does not have the length in its head', () => {
  it.each([
    ['shorter', ['hell']],
    ['longer', ['hello', 'world']],
  ])('aborts the request if it is %s', async (_how, texts) => {
    const upstream = forThisTest(await startUpstream(echoBody));
    const seen = send(upstream.url, chunks(...texts), ['content-length', '5']);
    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(seen.events).toEqual(['failure']);
  });

  it('never looks complete to the other side if it is shorter', async () => {
    const upstream = forThisTest(await startUpstream(echoBody));
    const seen = send(upstream.url, chunks('hell'), ['content-length', '5']);
    await seen.end;
    const [request] = await upstream.requests.count(1);
    expect(await request?.outcome).toBe('aborted');
  });
});

describe('a body whose source fails', () => {
  const failure = new Error('the source failed');
  async function* failing(...texts: string[]): AsyncGenerator<Buffer> {
    yield* chunks(...texts);
    throw failure;
  }

  it('aborts the exchange with the error of the source', async () => {
    const upstream = forThisTest(await startUpstream(echoBody));
    const seen = send(upstream.url, failing('hello'));
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: failure });
    expect(seen.events).toEqual(['failure']);
  });

  it('never looks complete to the other side', async () => {
    const upstream = forThisTest(await startUpstream(echoBody));
    for (const headers of [[], ['content-length', '5']]) {
      upstream.forget();
      const seen = send(upstream.url, failing('hell'), headers);
      const [request] = await upstream.requests.count(1);
      expect(await seen.end).toMatchObject({ kind: 'aborted' });
      expect(await request?.outcome).toBe('aborted');
    }
  });

  it('aborts the exchange even before the first chunk', async () => {
    const upstream = forThisTest(await startUpstream(echoBody));
    expect(await send(upstream.url, failing()).end).toMatchObject({
      kind: 'aborted',
      cause: failure,
    });
  });
});

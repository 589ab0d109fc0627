import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/exchange-recorder.js';
import { startRawServer, type RawServer } from '../../../test/support/raw-socket.js';
import { forThisTest, sharedResources } from '../../../test/support/resources.js';
import { startUpstream, type Upstream } from '../../../test/support/upstream.js';
import { Exchange } from './exchange.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
const REASON = new Error('the client has gone away');

const shared = sharedResources();
let upstream: Upstream;
let agent: Agent;

beforeAll(async () => {
  agent = new Agent({ pipelining: 1 });
  shared({ close: () => agent.destroy() });
  upstream = shared(
    await startUpstream((_request, response) => {
      response.writeHead(200);
      response.write('first');
    }),
  );
});

function send(origin: string, body?: Buffer | AsyncIterable<Buffer>, dispatcher = agent) {
  const seen = new ExchangeRecorder();
  const exchange = new Exchange(LIMITS, seen);
  exchange.start(dispatcher, { origin, method: 'POST', path: '/', headers: [], body });
  return { exchange, seen };
}

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) {
    await nextTurn();
    yield Buffer.alloc(1_024);
  }
}

/** A server that takes requests and never answers. */
async function silentServer(): Promise<RawServer> {
  return forThisTest(await startRawServer(() => undefined));
}

describe('an exchange that is given up', () => {
  it('before it has a connection was not sent, now or later', async () => {
    const server = await silentServer();
    const { exchange, seen } = send(server.url, Buffer.from('body'));
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: false, cause: REASON });
    const [connection] = await server.connections.count(1);
    await connection!.ended;
    expect(connection!.received).toHaveLength(0);
    expect(seen.events).toEqual(['failure']);
  });

  it('while it waits for its turn on a connection was not sent', async () => {
    const one = new Agent({ connections: 1, pipelining: 1 });
    forThisTest({ close: () => one.destroy() });
    const server = await silentServer();
    const first = send(server.url, undefined, one);
    const [connection] = await server.connections.count(1);
    await connection!.until('\r\n\r\n');
    const { exchange, seen } = send(server.url, Buffer.from('second'), one);
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: false });
    first.exchange.abort(REASON);
    await first.seen.end;
    expect(connection!.received.toString()).not.toContain('second');
  });

  it('during the upload breaks the request off', async () => {
    const { exchange, seen } = send(upstream.url, endless());
    const [request] = (await upstream.requests.count(upstream.hits + 1)).slice(-1);
    await seen.data;
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    expect(await request?.outcome).toBe('aborted');
  });

  it('while it waits for the answer breaks the connection off', async () => {
    const server = await silentServer();
    const { exchange, seen } = send(server.url, Buffer.from('body'));
    const [connection] = await server.connections.count(1);
    await connection!.until('body');
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    await connection!.ended;
    expect(seen.events).toEqual(['failure']);
  });

  it('within the answer breaks the connection off, and tells nothing more', async () => {
    const { exchange, seen } = send(upstream.url);
    await seen.data;
    const { message } = upstream.requests.items.at(-1)!;
    const closed = new Promise((resolve) => message.socket.once('close', resolve));
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    await closed;
    expect(seen.events).toEqual(['head', 'data', 'failure']);
  });

  it('from within its own head tells nothing more', async () => {
    const { exchange, seen } = send(upstream.url);
    const onHead = seen.onHead.bind(seen);
    seen.onHead = (...head) => {
      onHead(...head);
      exchange.abort(REASON);
    };
    expect(await seen.end).toMatchObject({ kind: 'aborted', cause: REASON });
    await nextTurn();
    expect(seen.events).toEqual(['head', 'failure']);
  });

  it('while its receiver is not ready ends as well', async () => {
    const { exchange, seen } = send(upstream.url);
    seen.isReady = false;
    await seen.data;
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', cause: REASON });
  });

  it('twice keeps its first reason', async () => {
    const { exchange, seen } = send(upstream.url);
    await seen.head;
    exchange.abort(REASON);
    exchange.abort(new Error('another'));
    expect(await seen.end).toMatchObject({ cause: REASON });
    expect(seen.events.filter((event) => event === 'failure')).toHaveLength(1);
  });
});

describe('50 exchanges that are given up, each in another phase', () => {
  it('leave nothing under way, and no connection behind', async () => {
    const own = new Agent({ pipelining: 1 });
    forThisTest({ close: () => own.destroy() });
    const server = await startRawServer((connection) => {
      const answer = (): void => {
        connection.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello');
      };
      void connection.until('\r\n\r\n').then(answer, () => undefined);
    });
    forThisTest(server);
    const phases = [
      () => Promise.resolve(),
      () => nextTurn(),
      (seen: ExchangeRecorder) => seen.head,
      (seen: ExchangeRecorder) => seen.data,
    ];
    await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const { exchange, seen } = send(server.url, at % 3 === 0 ? undefined : endless(), own);
        await phases[at % phases.length]?.(seen);
        exchange.abort(REASON);
        expect(await seen.end).toMatchObject({ kind: 'aborted' });
      }),
    );
    // Resolves once no request is left, and the connections are closed.
    await own.close();
    await Promise.all(server.connections.items.map(({ ended }) => ended));
  });
});

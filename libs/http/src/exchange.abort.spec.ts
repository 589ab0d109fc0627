import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { startRawServer, type RawServer } from '../../../test/support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../../../test/support/upstreams/upstream.js';
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

/** A server that accepts requests and never responds. */
async function silentServer(): Promise<RawServer> {
  return forThisTest(await startRawServer(() => undefined));
}

describe('an exchange that is aborted', () => {
  it('before it has a connection is never sent', async () => {
    const server = await silentServer();
    const { exchange, seen } = send(server.url, Buffer.from('body'));
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: false, cause: REASON });
    const [connection] = await server.connections.count(1);
    await connection!.ended;
    expect(connection!.received).toHaveLength(0);
    expect(seen.events).toEqual(['failure']);
  });

  it('while it waits for its turn on a connection is never sent', async () => {
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

  it('during the upload aborts the request', async () => {
    const { exchange, seen } = send(upstream.url, endless());
    const [request] = (await upstream.requests.count(upstream.hits + 1)).slice(-1);
    await seen.data;
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    expect(await request?.outcome).toBe('aborted');
  });

  it('while it waits for the response closes the connection', async () => {
    const server = await silentServer();
    const { exchange, seen } = send(server.url, Buffer.from('body'));
    const [connection] = await server.connections.count(1);
    await connection!.until('body');
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    await connection!.ended;
    expect(seen.events).toEqual(['failure']);
  });

  it('within the response closes the connection and reports nothing more', async () => {
    const { exchange, seen } = send(upstream.url);
    await seen.data;
    const { message } = upstream.requests.items.at(-1)!;
    const closed = new Promise((resolve) => message.socket.once('close', resolve));
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: REASON });
    await closed;
    expect(seen.events).toEqual(['head', 'data', 'failure']);
  });

  it('from within its own head event reports nothing more', async () => {
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

  it('while its receiver is not ready also ends', async () => {
    const { exchange, seen } = send(upstream.url);
    seen.isReady = false;
    await seen.data;
    exchange.abort(REASON);
    expect(await seen.end).toMatchObject({ kind: 'aborted', cause: REASON });
  });

  it('twice keeps the first reason', async () => {
    const { exchange, seen } = send(upstream.url);
    await seen.head;
    exchange.abort(REASON);
    exchange.abort(new Error('another'));
    expect(await seen.end).toMatchObject({ cause: REASON });
    expect(seen.events.filter((event) => event === 'failure')).toHaveLength(1);
  });
});

describe('50 exchanges that are aborted in different phases', () => {
  it('leave no request and no connection behind', async () => {
    const ownAgent = new Agent({ pipelining: 1 });
    forThisTest({ close: () => ownAgent.destroy() });
    const server = await startRawServer((connection) => {
      const respond = (): void => {
        connection.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello');
      };
      void connection.until('\r\n\r\n').then(respond, () => undefined);
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
        const { exchange, seen } = send(server.url, at % 3 === 0 ? undefined : endless(), ownAgent);
        await phases[at % phases.length]?.(seen);
        exchange.abort(REASON);
        expect(await seen.end).toMatchObject({ kind: 'aborted' });
      }),
    );
    // Resolves once no request is left and all connections are closed.
    await ownAgent.close();
    await Promise.all(server.connections.items.map(({ ended }) => ended));
  });
});

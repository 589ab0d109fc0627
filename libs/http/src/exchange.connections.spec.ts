import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Pool } from 'undici';
import { describe, expect, it } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { forThisTest } from '../../../test/support/lifecycle/resources.js';
import {
  respondOk,
  startScriptedUpstream,
  type ScriptedUpstream,
} from '../../../test/support/upstreams/scripted-upstream.js';
import { HandMovedClock } from '../../../test/support/time/hand-moved-clock.js';
import {
  MAX_CONNECTION_AGE_MS,
  connectionClients,
  type ConnectionHolder,
} from './connections/connection-client.js';
import type { ExchangeFailure } from './exchange-events.js';
import { Exchange } from './exchange.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };

interface Connections {
  readonly server: ScriptedUpstream;
  readonly kept: Pool;
  readonly fresh: Pool;
}

async function start(): Promise<Connections> {
  const server = forThisTest(await startScriptedUpstream());
  const pool = (pipelining: number): Pool => {
    const started = new Pool(server.url, {
      factory: connectionClients(() => performance.now()),
      pipelining,
    });
    forThisTest({ close: () => started.destroy() });
    return started;
  };
  return { server, kept: pool(1), fresh: pool(0) };
}

function send({ server, kept, fresh }: Connections, method: string, body?: Buffer) {
  const seen = new ExchangeRecorder();
  const exchange = new Exchange(LIMITS, seen);
  const mayRunTwice = method === 'GET';
  const request = { origin: server.url, method, path: '/', headers: [], body, fresh, mayRunTwice };
  exchange.start(kept, request);
  return { exchange, seen };
}

/** With one connection that has served a request and is idle. */
async function startUsed(): Promise<Connections> {
  const connections = await start();
  expect(await send(connections, 'GET').seen.end).toBe('end');
  await nextTurn();
  return connections;
}

const ENDINGS = {
  closed: (socket: Socket) => socket.end(),
  reset: (socket: Socket) => socket.resetAndDestroy(),
};

describe.each(Object.entries(ENDINGS))('a kept connection that was %s', (_how, end) => {
  it('before a request is written does not get it, whatever the method', async () => {
    const connections = await startUsed();
    const [first] = connections.server.exchanges.items;
    end(first!.socket);

    const { exchange, seen } = send(connections, 'POST', Buffer.from('body'));

    expect(await seen.end).toBe('end');
    expect(exchange.wasRepeated).toBe(false);
    const [, second] = connections.server.exchanges.items;
    expect(connections.server.exchanges.items).toHaveLength(2);
    expect(second!.socket).not.toBe(first!.socket);
  });

  it('under a request that is given up as it is repeated ends in the failure that was given', async () => {
    const connections = await startUsed();
    const reason = new Error('given up');
    const { exchange, seen } = send(connections, 'GET');
    connections.server.follow(({ socket }) => void end(socket));
    connections.fresh.once('connect', () => {
      exchange.abort(reason);
    });

    expect(await seen.end).toMatchObject({ kind: 'aborted', wasSent: true, cause: reason });
    expect(seen.events).toEqual(['failure']);
  });

  it('under a request whose pools are destroyed ends in one failure', async () => {
    const connections = await startUsed();
    connections.server.follow(() => undefined);
    const { seen } = send(connections, 'GET');
    await connections.server.exchanges.count(2);
    await Promise.all([connections.kept.destroy(), connections.fresh.destroy()]);

    expect(await seen.end).toMatchObject({ wasSent: true });
    expect(seen.events).toEqual(['failure']);
  });
});

describe('a client whose connection was closed', () => {
  it('does not keep it: a pool keeps as many clients as it ever had connections', async () => {
    const server = forThisTest(await startScriptedUpstream());
    const created: ConnectionHolder[] = [];
    const clients = connectionClients(() => performance.now());
    const pool = new Pool(server.url, {
      factory: (origin, options: Pool.Options) => {
        const client = clients(origin, options);
        created.push(client as unknown as ConnectionHolder);
        return client;
      },
    });
    forThisTest({ close: () => pool.destroy() });
    const closed = new Promise((resolve) => pool.once('disconnect', resolve));
    expect(await send({ server, kept: pool, fresh: pool }, 'GET').seen.end).toBe('end');
    // The pool has another client ready.
    expect(created.filter(({ connection }) => connection !== undefined)).toHaveLength(1);

    server.exchanges.items[0]!.socket.end();
    await closed;

    expect(created.filter(({ connection }) => connection !== undefined)).toEqual([]);
  });
});

describe('an exchange on connections that are kept', () => {
  it('is repeated only once', async () => {
    const connections = await startUsed();
    connections.server.follow(({ socket }) => void socket.end());
    const { exchange, seen } = send(connections, 'GET');

    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true, hasHead: false });
    expect(exchange.wasRepeated).toBe(true);
    expect(connections.server.exchanges.items).toHaveLength(3);
  });

  it('is not repeated on the first request of a connection', async () => {
    const connections = await start();
    connections.server.follow(({ socket }) => void socket.end());
    const { exchange, seen } = send(connections, 'GET');

    expect(await seen.end).toMatchObject({ kind: 'reset', wasSent: true });
    expect(exchange.wasRepeated).toBe(false);
    expect(connections.server.exchanges.items).toHaveLength(1);
  });

  it('that is repeated gets the whole response', async () => {
    const connections = await startUsed();
    let isLost = false;
    connections.server.follow(async (exchange) => {
      if (isLost) {
        await respondOk(exchange);
      } else {
        isLost = true;
        exchange.socket.end();
      }
    });
    const { seen } = send(connections, 'GET');

    expect(await seen.end).toBe('end');
    expect(seen.status).toBe(200);
    expect(seen.body.toString()).toBe('ok');
  });
});

describe('a connection that was upgraded', () => {
  const OTHER_PROTOCOL =
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';

  /** Upgrades connections of one pool, by a clock that the test moves. */
  const startUpgrades = async () => {
    const server = forThisTest(await startScriptedUpstream());
    server.follow(({ write }) => write(OTHER_PROTOCOL));
    const clock = new HandMovedClock();
    const created: ConnectionHolder[] = [];
    const clients = connectionClients(() => clock.monotonicMs());
    const pool = new Pool(server.url, {
      factory: (origin, options: Pool.Options) => {
        const client = clients(origin, options);
        created.push(client as unknown as ConnectionHolder);
        return client;
      },
      pipelining: 0,
    });
    forThisTest({ close: () => pool.destroy() });
    const upgrade = async (): Promise<Socket> => {
      const upgraded = await new Promise<Socket>((resolve, reject) => {
        const events = Object.assign(new ExchangeRecorder(), {
          onUpgrade: (_fields: unknown, socket: Socket) => {
            resolve(socket);
          },
          onFailure: ({ cause }: ExchangeFailure) => {
            reject(cause);
          },
        });
        const request = { origin: server.url, method: 'GET', path: '/', headers: [] };
        new Exchange(LIMITS, events).start(pool, { ...request, body: undefined, upgrade: 'x' });
      });
      forThisTest({ close: () => Promise.resolve(void upgraded.destroy()) });
      // Then the pool has its client back.
      await nextTurn();
      return upgraded;
    };
    return { clock, created, upgrade };
  };

  it('is not closed for its age when another is asked for', async () => {
    const { clock, created, upgrade } = await startUpgrades();
    const first = await upgrade();
    clock.advance(MAX_CONNECTION_AGE_MS);

    const second = await upgrade();

    // The same client of the pool had both.
    expect(created.filter(({ connection }) => connection !== undefined)).toHaveLength(1);
    expect([first.destroyed, second.destroyed]).toEqual([false, false]);
  });

  it('is not taken for a later one of its client when it ends', async () => {
    const { created, upgrade } = await startUpgrades();
    const first = await upgrade();
    await upgrade();
    const current = created[0]!.connection;

    const closed = once(first, 'close');
    first.destroy();
    await closed;

    expect(current).toBeDefined();
    expect(created[0]!.connection).toBe(current);
  });
});

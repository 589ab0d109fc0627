import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import { Pool } from 'undici';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../../test/support/lifecycle/resources.js';
import { listen } from '../../../test/support/network/listen.js';
import { MAX_CONNECTION_AGE_MS, connectionClients } from './connections/connection-client.js';
import { Exchange } from './exchange.js';

const LIMITS = { responseTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';

describe('a connection that was upgraded', () => {
  it('is not ended for its age by the next exchange of its client', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(SWITCHING)).on('end', () => socket.end());
    });
    const { port } = forThisTest(await listen(server));
    let nowMs = 0;
    const pool = new Pool(`http://127.0.0.1:${port}`, {
      factory: connectionClients(() => nowMs),
      pipelining: 0,
    });
    forThisTest({ close: () => pool.destroy() });
    const upgrade = (): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const exchange = new Exchange(LIMITS, {
          onHead: reject,
          onData: () => true,
          onEnd: reject,
          onFailure: reject,
          onUpgrade: (_fields, socket) => {
            resolve(socket);
          },
        });
        const origin = `http://127.0.0.1:${port}`;
        const request = { origin, method: 'GET', path: '/', headers: [], body: undefined };
        exchange.start(pool, { ...request, upgrade: 'x' });
      });
    const first = await upgrade();
    nowMs = MAX_CONNECTION_AGE_MS;

    const second = await upgrade();

    expect(first.destroyed).toBe(false);
    for (const socket of [first, second]) {
      const closed = once(socket, 'close');
      socket.resume().end();
      await closed;
    }
  });
});

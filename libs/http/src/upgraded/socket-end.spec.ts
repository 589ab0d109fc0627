import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import { describe, expect, it, vi } from 'vitest';

import { listen } from '../../../../test/support/network/listen.js';
import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { onBytesReceived } from '../received-bytes.js';
import { SocketEnd } from './socket-end.js';

const WAIT_MS = 20_000;

describe('SocketEnd', () => {
  it('reports what it receives, so that its buffers are collected', async () => {
    let received = 0;
    onBytesReceived((bytes) => {
      received += bytes;
    });
    const server = createServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const { port } = forThisTest(await listen(server));
    const client = connect(port, '127.0.0.1');
    const [socket] = await accepted;
    new SocketEnd(socket).listen({
      onData: () => true,
      onEnd: () => undefined,
      onDrain: () => undefined,
      onLost: () => undefined,
    });
    client.end(Buffer.alloc(100_000));
    await vi.waitUntil(() => received === 100_000, WAIT_MS);
    socket.destroy();
    expect(received).toBe(100_000);
  });
});

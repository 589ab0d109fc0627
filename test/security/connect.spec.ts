import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { openSocket } from '../support/network/raw-socket.js';
import { startRelay } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/** Node.js detaches the socket of a CONNECT request: none of the server's time limits apply to it from then on. */
describe('#32 a CONNECT request', () => {
  it.each([
    ['destroys the connection', true],
    ['waits for the end', false],
  ])('gets 405 and leaves no socket open if its sender %s', async (_what, disconnects) => {
    const relay = forThisTest(await startRelay());
    const server: Server = relay.app.getHttpServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = forThisTest(openSocket(relay.port));
    socket.write('CONNECT evil:80 HTTP/1.1\r\nhost: evil:80\r\n\r\n');
    const [served] = await accepted;
    const closed = once(served, 'close');

    await socket.until('RELAY_METHOD_UNSUPPORTED');
    if (disconnects) {
      await socket.close();
    }

    await closed;
    const received = socket.received.toString('latin1');
    expect(received).toMatch(/^HTTP\/1.1 405 /);
    expect(received).toMatch(/\r\nallow: .*\bGET\b.*\r\n/);
    expect(received).toContain('cannot be sealed here');
  });
});

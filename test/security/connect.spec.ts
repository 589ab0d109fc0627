import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { openSocket } from '../support/raw-socket.js';
import { startRelay } from '../support/relay.js';
import { forThisTest } from '../support/resources.js';

/** Node.js hands the socket of a CONNECT over and forgets it: no limit of the server holds for it any more. */
describe('#32 a CONNECT', () => {
  it.each([
    ['resets it', true],
    ['ends it', false],
  ])('whose sender %s is answered 501 and leaves no socket behind', async (_what, goesAway) => {
    const relay = forThisTest(await startRelay());
    const server: Server = relay.app.getHttpServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = forThisTest(openSocket(relay.port));
    socket.write('CONNECT evil:80 HTTP/1.1\r\nhost: evil:80\r\n\r\n');
    const [served] = await accepted;
    const closed = once(served, 'close');

    await socket.until('RELAY_METHOD_UNSUPPORTED');
    if (goesAway) {
      await socket.close();
    }

    await closed;
    expect(socket.received.toString('latin1')).toMatch(/^HTTP\/1.1 501 /);
  });
});

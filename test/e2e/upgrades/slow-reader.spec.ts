import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import { expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { TOKEN, startRelay } from '../../support/relays/relay.js';

const SWITCHING = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const SENT_BYTES = 32 * 1_048_576;
/** More than the system keeps for a reader, and less than that and the channel together. */
const UNREAD_BYTES = 8 * 1_048_576;

it('a connection whose sides have both ended has no channel, and what is on its way arrives', async () => {
  const sockets: Socket[] = [];
  let received = 0;
  let resume = (): void => undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(SWITCHING);
      if (sockets.push(socket) > 1) {
        return;
      }
      socket.end();
      const paused = (chunk: Buffer): void => {
        received += chunk.length;
        if (received >= SENT_BYTES - UNREAD_BYTES) {
          socket.pause();
        }
      };
      socket.on('data', paused);
      resume = () => {
        socket.off('data', paused);
        socket.on('data', (chunk: Buffer) => (received += chunk.length));
        socket.resume();
      };
    });
  });
  const upstream = forThisTest(await listen(server));
  const environment = { TUNNEL_TRANSPORT: 'auto', UPGRADE_PROTOCOLS: 'tcp' };
  const inbound = forThisTest(
    await startRelay({ ...environment, UPSTREAM: upstream.url, MAX_UPGRADED_CONNECTIONS: '1' }),
  );
  const outbound = forThisTest(await startRelay(environment));
  const ask = async (): Promise<[Socket, string]> => {
    const socket = connect({ port: outbound.port, host: '127.0.0.1', allowHalfOpen: true });
    forThisTest({ close: () => Promise.resolve(void socket.destroy()) });
    socket.write(
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: tcp\r\n' +
        `x-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${inbound.url}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    return [socket, head.toString()];
  };
  const [first] = await ask();
  const closed = once(first.resume(), 'close');
  first.end(Buffer.alloc(SENT_BYTES));
  await closed;
  await expect
    .poll(async () => (await ask())[1], { interval: 500, timeout: 10_000 })
    .toMatch(/^HTTP\/1\.1 101 /);
  resume();
  await expect.poll(() => received, { timeout: 10_000 }).toBe(SENT_BYTES);
});

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import { beforeAll, describe, expect, it } from 'vitest';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';

const SWITCHING = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/** The connections that the API has accepted, and what has arrived on each. */
interface Accepted {
  readonly socket: Socket;
  received: string;
  end?: 'end' | 'reset';
}

const shared = sharedResources();
const accepted = new Recorder<Accepted>();
let inbound: TestRelay;
let outbound: TestRelay;

/** Whether there is another side. Node.js takes a reset that comes with the last octets for an end. */
const isConnected = (socket: Socket): boolean => {
  const { _handle } = socket as unknown as { _handle: { getpeername(address: object): number } };
  return _handle.getpeername({}) === 0;
};

/** Switches as soon as it has a head, and keeps everything that follows. */
const serve = (socket: Socket): void => {
  const connection: Accepted = { socket, received: '' };
  accepted.add(connection);
  let isSwitched = false;
  socket.on('error', () => (connection.end = 'reset'));
  socket.on('end', () => (connection.end ??= isConnected(socket) ? 'end' : 'reset'));
  socket.on('data', (chunk: Buffer) => {
    connection.received += chunk.toString('latin1');
    if (!isSwitched && connection.received.includes('\r\n\r\n')) {
      isSwitched = true;
      socket.write(SWITCHING);
    }
  });
};

beforeAll(async () => {
  const upstream = shared(await listen(createServer({ allowHalfOpen: true }, serve)));
  const environment = {
    TUNNEL_TRANSPORT: 'auto',
    UPGRADE_PROTOCOLS: 'websocket,tcp',
    UPSTREAM: upstream.url,
    PASS_THROUGH_ROUTES: '/open/*',
  };
  inbound = shared(await startRelay(environment));
  outbound = shared(await startRelay(environment));
});

const ways = {
  'through the tunnel': () => ({
    port: outbound.port,
    fields: `x-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${inbound.url}\r\n`,
  }),
  'on a pass-through route': () => ({ port: inbound.port, fields: '' }),
};

const ask = async (way: keyof typeof ways, path: string, fields: string, behind: string) => {
  const { port, fields: own } = ways[way]();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  forThisTest({ close: () => Promise.resolve(void socket.destroy()) });
  await once(socket, 'connect');
  const head = `POST /open/${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: tcp\r\n`;
  socket.write(`${head}${own}${fields}\r\n${behind}`);
  return socket;
};

const behindHead = ({ received }: Accepted): string =>
  received.slice(received.indexOf('\r\n\r\n') + 4);

const arrived = (path: string) => accepted.find(({ received }) => received.includes(path));

describe.each(Object.keys(ways) as (keyof typeof ways)[])('octets %s', (way) => {
  it('that come with the body of the request stay in order', async () => {
    const path = `early-${way.length}`;
    const socket = await ask(way, path, 'content-length: 1\r\n', 'bCDEFGH');
    await once(socket, 'data');
    const connection = await arrived(path);
    await expect.poll(() => behindHead(connection)).toBe('bCDEFGH');
  });

  it('of a body may wait for 100 Continue', async () => {
    const path = `continue-${way.length}`;
    const socket = await ask(way, path, 'content-length: 2\r\nexpect: 100-continue\r\n', '');
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('ab');
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 101 /);
    const connection = await arrived(path);
    await expect.poll(() => behindHead(connection)).toBe('ab');
  });

  it('that a reset cuts off do not seem complete', async () => {
    for (let count = 0; count < 10; count += 1) {
      const path = `reset-${way.length}-${count}`;
      const socket = await ask(way, path, '', '');
      await once(socket, 'data');
      const connection = await arrived(path);
      socket.write('part', () => socket.resetAndDestroy());
      await expect.poll(() => connection.end).toBe('reset');
    }
  });
});

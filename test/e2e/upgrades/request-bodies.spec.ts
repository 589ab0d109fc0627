import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';

import { beforeAll, describe, expect, it } from 'vitest';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';

/** As Docker answers when it executes a command: it reads the body first, and then speaks another protocol. */
const SWITCHING = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

const shared = sharedResources();
const bodies = new Recorder<string>();
let inbound: TestRelay;
let outbound: TestRelay;

/** Reads one request with a body, and echoes what follows it in capital letters. */
const serve = (socket: Socket): void => {
  let received = '';
  let isUpgraded = false;
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end('BYE'));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const bodyAt = received.indexOf('\r\n\r\n') + 4;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (!isUpgraded && bodyAt > 3 && received.length >= bodyAt + length) {
      isUpgraded = true;
      bodies.add(received.slice(bodyAt, bodyAt + length));
      socket.write(SWITCHING);
      received = received.slice(bodyAt + length);
    }
    if (isUpgraded) {
      socket.write(received.toUpperCase());
      received = '';
    }
  });
};

beforeAll(async () => {
  const server = createServer({ allowHalfOpen: true }, serve);
  const upstream = shared(await listen(server));
  const environment = {
    TUNNEL_TRANSPORT: 'auto',
    UPGRADE_PROTOCOLS: 'websocket,tcp',
    UPSTREAM: upstream.url,
    PASS_THROUGH_ROUTES: '/open/*',
    IDLE_TIMEOUT_MS: '1000',
  };
  inbound = shared(await startRelay(environment));
  outbound = shared(await startRelay(environment));
});

const ways = {
  'through the tunnel': () => ({
    port: outbound.port,
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url },
  }),
  'on a pass-through route': () => ({ port: inbound.port, headers: {} }),
};

const ask = (way: keyof typeof ways, fields: Readonly<Record<string, string>>) => {
  const { port, headers } = ways[way]();
  const asking = request({
    ...{ port, host: '127.0.0.1', method: 'POST', path: '/open/exec/1/start' },
    headers: { ...headers, connection: 'Upgrade', upgrade: 'tcp', ...fields },
  });
  asking.on('error', () => undefined);
  forThisTest({ close: () => Promise.resolve(void asking.destroy()) });
  return asking;
};

describe.each(Object.keys(ways) as (keyof typeof ways)[])(
  'the body of a request for an upgrade %s',
  (way) => {
    it.each([1, 100, 32_768])('of %s octets reaches the API before the 101', async (length) => {
      const asking = ask(way, { 'content-length': String(length) });
      const upgraded = once(asking, 'upgrade');
      asking.write('x'.repeat(length - 1));
      asking.end('z');
      const [response, socket] = (await upgraded) as [IncomingMessage, Socket];
      expect(response.statusCode).toBe(101);
      expect(await bodies.find((body) => body.length === length)).toMatch(/^x*z$/);

      socket.end('hello');

      const chunks: Buffer[] = [];
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        chunks.push(chunk);
      }
      expect(Buffer.concat(chunks).toString()).toBe('HELLOBYE');
      bodies.items.length = 0;
    });

    it.each([
      ['longer than 32,768 octets', { 'content-length': '32769' }],
      ['in chunks', { 'transfer-encoding': 'chunked' }],
    ])('is refused if it is %s', async (_what, fields) => {
      const asking = ask(way, fields);
      const answered = once(asking, 'response');
      asking.write('x');
      const [response] = (await answered) as [IncomingMessage];
      expect(response.statusCode).toBe(400);
    });

    it('is refused if it does not come in time', async () => {
      const asking = ask(way, { 'content-length': '2' });
      const answered = once(asking, 'response');
      asking.write('x');
      const [response] = (await answered) as [IncomingMessage];
      expect(response.statusCode).toBe(408);
      expect(bodies.items).toEqual([]);
    });
  },
);

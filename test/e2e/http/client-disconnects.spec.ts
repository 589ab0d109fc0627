import { once } from 'node:events';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import type { Field } from '../../support/network/raw-http.js';
import { BetweenRelays } from '../../support/tunnels/between-relays.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import type { ScriptedExchange } from '../../support/upstreams/scripted-upstream.js';
import { ENCODE_TYPES, IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: RawTunnel;
let between: BetweenRelays;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { ADMIN_PORT: '0' } }));
  between = new BetweenRelays(tunnel.inbound);
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
});

interface Phase {
  readonly request: (type: string) => readonly (Buffer | string)[];
  /** What the upstream has written when the client disconnects. */
  readonly response: string;
}

const head = (type: string, startLine: string, ...fields: readonly Field[]): Buffer =>
  tunnel.head(startLine, ['X-MTE-Encode-Type', type], ...fields);

const upload = (type: string, ...framing: Field): Buffer =>
  head(type, 'PUT /gone HTTP/1.1', framing);
const download = (type: string): Buffer => head(type, 'GET /gone HTTP/1.1');
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Type: ';

const WAITING: readonly [phase: string, phase: Phase][] = [
  [
    'while it waits for the response to a GET',
    { request: (type) => [download(type)], response: '' },
  ],
  [
    'while it waits for the response after its upload',
    { request: (type) => [upload(type, 'Content-Length', '4'), 'body'], response: '' },
  ],
  [
    'while it waits for the response after its chunked upload',
    {
      request: (type) => [upload(type, 'Transfer-Encoding', 'chunked'), '4\r\nbody\r\n0\r\n\r\n'],
      response: '',
    },
  ],
];

const STREAMING: readonly [phase: string, phase: Phase][] = [
  [
    'during its upload',
    { request: (type) => [upload(type, 'Content-Length', '1000'), 'part'], response: '' },
  ],
  [
    'during its chunked upload',
    {
      request: (type) => [upload(type, 'Transfer-Encoding', 'chunked'), '4\r\npart\r\n'],
      response: '',
    },
  ],
  [
    'during a download of known length',
    {
      request: (type) => [download(type)],
      response: `${RESPONSE}text/plain\r\nContent-Length: 1000\r\n\r\npart`,
    },
  ],
  [
    'during a chunked download',
    {
      request: (type) => [download(type)],
      response: `${RESPONSE}text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`,
    },
  ],
  [
    'during a download of unknown length',
    { request: (type) => [download(type)], response: `${RESPONSE}text/plain\r\n\r\npart` },
  ],
  [
    'during an event stream',
    {
      request: (type) => [download(type)],
      response: `${RESPONSE}text/event-stream\r\n\r\ndata: part\n\n`,
    },
  ],
  [
    'during its upload while the response arrives',
    {
      request: (type) => [upload(type, 'Content-Length', '1000'), 'part'],
      response: `${RESPONSE}text/plain\r\nContent-Length: 1000\r\n\r\npart`,
    },
  ],
];

/** Brings a request into the given phase. */
async function enter({ request, response }: Phase, type: string) {
  tunnel.upstream.follow(async ({ write }) => {
    if (response !== '') {
      await write(response);
    }
  });
  const client = forThisTest(openSocket(tunnel.outbound.port));
  for (const bytes of request(type)) {
    client.write(bytes);
  }
  const exchange = await tunnel.upstream.exchanges.find();
  if (response !== '') {
    await client.until('part');
  }
  return { client, exchange };
}

const LEAVE = {
  'closes its connection': ({ socket }: RawSocket) => socket.destroy(),
  'resets its connection': ({ socket }: RawSocket) => socket.resetAndDestroy(),
};

/** Resolves once the upstream has lost the connections of these requests. Relay B may open others in their place. */
async function untilClosed(exchanges: readonly ScriptedExchange[]): Promise<void> {
  const open = exchanges.map(({ socket }) => socket).filter(({ closed }) => !closed);
  await Promise.all(open.map((socket) => once(socket, 'close')));
}

/** Resolves once nothing of the request is left at any hop. */
async function expectNothingLeft(exchange: ScriptedExchange): Promise<void> {
  await exchange.whole;
  await untilClosed([exchange]);
  await between.untilNothing();
}

describe.each(Object.entries(LEAVE))('a client that %s', (_how, leave) => {
  it.each(STREAMING)('%s aborts its request at the upstream (MKE)', async (_phase, phase) => {
    const { client, exchange } = await enter(phase, 'MKE');

    leave(client);

    await expectNothingLeft(exchange);
    const isUpload = exchange.head.startLine.startsWith('PUT');
    expect(exchange.seen().isComplete).toBe(!isUpload);
    expect(tunnel.upstream.exchanges.items).toHaveLength(1);
  });

  it.each(
    ENCODE_TYPES.flatMap((type) => WAITING.map(([name, phase]) => [name, type, phase] as const)),
  )('%s aborts its request at the upstream (%s)', async (_phase, type, phase) => {
    const { client, exchange } = await enter(phase, type);
    await exchange.whole;

    leave(client);

    await untilClosed([exchange]);
    await between.untilNothing();
    expect(tunnel.upstream.exchanges.items).toHaveLength(1);
  });

  it.skipIf(IS_OVER_CHANNELS)(
    'while its MTE response is buffered aborts its request at the upstream',
    async () => {
      tunnel.upstream.follow(async ({ write }) => {
        await write(`${RESPONSE}text/plain\r\nContent-Length: 1000\r\n\r\npart`);
      });
      const client = forThisTest(openSocket(tunnel.outbound.port));
      client.write(download('MTE'));
      const exchange = await tunnel.upstream.exchanges.find();

      leave(client);

      await expectNothingLeft(exchange);
      expect(client.received).toHaveLength(0);
    },
  );

  it.skipIf(IS_OVER_CHANNELS)(
    'while its MTE upload is buffered never reaches the upstream',
    async () => {
      const client = forThisTest(openSocket(tunnel.outbound.port));
      client.write(upload('MTE', 'Content-Length', '1000'));
      client.write('part');
      await between.connections.until(1);

      leave(client);

      await between.untilNothing();
      expect(tunnel.upstream.exchanges.items).toEqual([]);
    },
  );
});

describe('bursts of aborted requests', () => {
  it.each(STREAMING)(
    'leave no connection open if the client disconnects %s',
    async (_phase, phase) => {
      for (let burst = 0; burst < 3; burst += 1) {
        tunnel.upstream.exchanges.items.length = 0;
        tunnel.upstream.follow(async ({ write }) => {
          if (phase.response !== '') {
            await write(phase.response);
          }
        });
        const clients = Array.from({ length: 40 }, () => openSocket(tunnel.outbound.port));
        for (const client of clients) {
          client.write(
            Buffer.concat(phase.request('MKE').map((bytes) => Buffer.from(bytes as string))),
          );
        }
        await tunnel.upstream.exchanges.count(clients.length);
        for (const [at, { socket }] of clients.entries()) {
          if (at % 2 === 0) {
            socket.resetAndDestroy();
          } else {
            socket.destroy();
          }
        }

        await untilClosed(tunnel.upstream.exchanges.items);
        await between.untilNothing();
      }
    },
  );

  it('leave no connection open if the client disconnects before they are forwarded', async () => {
    for (let burst = 0; burst < 5; burst += 1) {
      tunnel.upstream.follow(() => undefined);
      const clients = Array.from({ length: 40 }, () => openSocket(tunnel.outbound.port));
      for (const client of clients) {
        client.write(download('MKE'));
      }
      await tunnel.upstream.exchanges.find();
      for (const { socket } of clients) {
        socket.resetAndDestroy();
      }

      await tunnel.upstream.sockets.until(0);
      await between.untilNothing();
    }
  });
});

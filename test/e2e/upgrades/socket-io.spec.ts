import { createServer } from 'node:http';
import { isDeepStrictEqual } from 'node:util';

import { Server, type Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { Recorder } from '../../support/lifecycle/recorder.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import {
  startUpgradeWays,
  type UpgradeWay,
  type UpgradeWays,
} from '../../support/tunnels/upgrade-ways.js';

const LARGE_BYTES = 1_000_000;

/** What either side was told, in order. */
type Seen = readonly [what: string, ...details: unknown[]];

const shared = sharedResources();
/** What the server was told of each client, by the name that the client gives itself. */
const seenByServer = new Map<string, Recorder<Seen>>();
let ways: UpgradeWays;

/** The WebSocket below a client's connection, for which socket.io has no name. */
const webSocketOf = ({ conn }: ServerSocket): WebSocket =>
  (conn.transport as unknown as { readonly socket: WebSocket }).socket;

function serve(socket: ServerSocket): void {
  const name = String(socket.handshake.auth['name']);
  const seen = seenByServer.get(name) ?? new Recorder<Seen>();
  seenByServer.set(name, seen);
  const { authorization, cookie } = socket.handshake.headers;
  seen.add(['connected', socket.recovered, authorization, cookie, socket.handshake.query['of']]);
  if (!socket.recovered) {
    // Recovery begins behind the last event that the client was told.
    socket.emit('welcome', 'hello');
  }
  socket.on('echo', (message: unknown, answer: (message: unknown) => void) => {
    answer(message);
  });
  socket.on('join', (room: string, answer: () => void) => {
    void socket.join(room);
    answer();
  });
  socket.on('say', (room: string, message: unknown) => {
    socket.to(room).emit('said', message);
  });
  socket.on('drop me', () => {
    webSocketOf(socket).terminate();
    // Kept for the client until it is back.
    socket.emit('missed', 'while it was away');
  });
  socket.on('disconnect', (reason) => {
    seen.add(['disconnected', reason]);
  });
}

beforeAll(async () => {
  const server = createServer();
  const engine = new Server(server, {
    maxHttpBufferSize: 2 * LARGE_BYTES,
    connectionStateRecovery: {},
  });
  engine.on('connection', serve);
  ways = shared(await startUpgradeWays(shared(await listen(server))));
});

let clients = 0;

/** A client of socket.io that notes what it is told. */
function startClient(way: UpgradeWay, transports: string[]) {
  clients += 1;
  const name = String(clients);
  const seen = new Recorder<Seen>();
  const client: Socket = io(way.url, {
    autoConnect: false,
    forceNew: true,
    transports,
    auth: { name },
    query: { of: 'client' },
    extraHeaders: { ...way.headers, authorization: 'Bearer of the API', cookie: 'session=abc' },
    reconnectionDelay: 1,
    reconnectionDelayMax: 1,
  });
  client.io.on('open', () => {
    const { engine } = client.io;
    seen.add(['opened', engine.transport.name]);
    engine.on('upgrade', ({ name }) => {
      seen.add(['upgraded', name]);
    });
  });
  client.on('connect', () => {
    seen.add(['connected', client.recovered]);
  });
  client.on('disconnect', (reason) => {
    seen.add(['disconnected', reason]);
  });
  for (const event of ['welcome', 'said', 'missed']) {
    client.on(event, (message) => {
      seen.add([event, message]);
    });
  }
  client.connect();
  const told = (what: string, times = 1): Promise<unknown> =>
    seen.find(() => seen.items.filter(([name]) => name === what).length >= times);
  return { name, client, seen, told };
}

/** What a client was told, sorted: an upgrade takes its own time beside the messages. */
const sorted = (seen: Recorder<Seen>): string[] =>
  seen.items.map((one) => JSON.stringify(one)).sort();

/** Messages with acknowledgements: text, objects, octets, and all of it at once. */
async function exchanged(client: Socket): Promise<boolean[]> {
  const large = bytesOfSize(LARGE_BYTES);
  const messages = ['grüße, 世界', { nested: [1, null, true] }, Buffer.from([0, 255]), large];
  const answers = (await Promise.all(
    messages.map((message) => client.emitWithAck('echo', message)),
  )) as unknown[];
  return answers.map((answer, at) => isDeepStrictEqual(answer, messages[at]));
}

async function disconnected(name: string, client: Socket): Promise<readonly Seen[]> {
  client.disconnect();
  const seen = seenByServer.get(name)!;
  await seen.find(
    ([what, reason]) => what === 'disconnected' && reason === 'client namespace disconnect',
  );
  return seen.items;
}

const CONNECTED = ['connected', false, 'Bearer of the API', 'session=abc', 'client'];

describe('socket.io, compared with the same client directly', () => {
  it.each([
    [['polling', 'websocket'], 'polling'],
    [['websocket'], 'websocket'],
    [['polling'], 'polling'],
  ])('exchanges messages over %j', async (transports, first) => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { name, client, seen, told } = startClient(way, transports);
      await told('welcome');
      if (transports.length > 1) {
        await told('upgraded');
      }
      const areSame = await exchanged(client);
      const server = await disconnected(name, client);
      return { areSame, client: sorted(seen), server };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.areSame).toEqual([true, true, true, true]);
    expect(direct.client).toEqual(
      [
        ['connected', false],
        ['disconnected', 'io client disconnect'],
        ['opened', first],
        ...(transports.length > 1 ? [['upgraded', 'websocket']] : []),
        ['welcome', 'hello'],
      ].map((one) => JSON.stringify(one)),
    );
    expect(direct.server).toEqual([CONNECTED, ['disconnected', 'client namespace disconnect']]);
  });

  it('exchanges messages while it is upgraded', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { name, client, told } = startClient(way, ['polling', 'websocket']);
      const areSame = await Promise.all([exchanged(client), exchanged(client), told('upgraded')]);
      areSame.push(await exchanged(client));
      await disconnected(name, client);
      return areSame.flat().filter((isSame) => isSame === true).length;
    });

    expect(tunnelled).toBe(direct);
    expect(direct).toBe(12);
  });

  it('hears from a room what another client says, over whichever transport', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const listeners = [['polling'], ['websocket'], ['polling', 'websocket']].map((transports) =>
        startClient(way, transports),
      );
      const speaker = startClient(way, ['websocket']);
      await Promise.all(listeners.map(({ client }) => client.emitWithAck('join', way.url)));
      speaker.client.emit('say', way.url, { to: 'all of them' });
      const heard = await Promise.all(
        listeners.map(({ seen }) => seen.find(([what]) => what === 'said')),
      );
      for (const { name, client } of [...listeners, speaker]) {
        await disconnected(name, client);
      }
      return heard;
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual(Array.from({ length: 3 }, () => ['said', { to: 'all of them' }]));
  });

  it.each([[['websocket']], [['polling', 'websocket']]])(
    'reconnects over %j after its connection was dropped, and is told what it missed',
    async (transports) => {
      const { direct, tunnelled } = await ways.both(async (way) => {
        const { name, client, seen, told } = startClient(way, transports);
        await told('connected');
        if (transports.length > 1) {
          await told('upgraded');
        }
        await told('welcome');
        client.emit('drop me');
        await Promise.all([told('connected', 2), told('missed')]);
        if (transports.length > 1) {
          await told('upgraded', 2);
        }
        const areSame = await exchanged(client);
        return { areSame, server: await disconnected(name, client), client: sorted(seen) };
      });

      expect(tunnelled).toEqual(direct);
      expect(direct.areSame).toEqual([true, true, true, true]);
      expect(direct.client).toContain(JSON.stringify(['disconnected', 'transport close']));
      expect(direct.client).toContain(JSON.stringify(['missed', 'while it was away']));
      expect(direct.client).toContain(JSON.stringify(['connected', true]));
    },
  );
});

import type { Socket } from 'node:net';

import { beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';

import { openPair } from '../../support/clients/web-socket-client.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { startUpgradeWays, type UpgradeWays } from '../../support/tunnels/upgrade-ways.js';
import {
  startWebSocketServer,
  type TestWebSocketServer,
} from '../../support/upstreams/web-socket-server.js';

const shared = sharedResources();
let server: TestWebSocketServer;
let ways: UpgradeWays;

beforeAll(async () => {
  server = shared(await startWebSocketServer());
  ways = shared(await startUpgradeWays(server));
});

const SIDES = ['client', 'api'] as const;
type Side = (typeof SIDES)[number];

/** Opens a WebSocket on both ways, lets one side end it, and compares what both sides were told. */
async function closedBy(side: Side, end: (socket: WebSocket) => void) {
  const { direct, tunnelled } = await ways.both(async (way) => {
    const { client, api } = await openPair(server, way);
    const ending = side === 'client' ? client : api;
    ending.socket.send('the last message');
    end(ending.socket);
    return { client: await client.closed(), api: await api.closed() };
  });
  expect(tunnelled).toEqual(direct);
  return direct;
}

const other = (side: Side): Side => (side === 'client' ? 'api' : 'client');

/** The connection below a WebSocket, for which `ws` has no name. */
const connectionOf = (socket: WebSocket): Socket =>
  (socket as unknown as { readonly _socket: Socket })._socket;

describe('a WebSocket of ws, compared with the same one directly, ends', () => {
  it.each(
    SIDES.flatMap((side) =>
      [1000, 1001, 1008, 1011, 4000].map((code) => [side, code] as [Side, number]),
    ),
  )('as the %s closes it with %i', async (side, code) => {
    const events = await closedBy(side, (socket) => {
      socket.close(code, `reason of ${code}`);
    });

    const close = ['close', code, `reason of ${code}`];
    expect(events[side]).toEqual([close]);
    expect(events[other(side)]).toEqual([['text', 'the last message'], close]);
  });

  it.each(SIDES)('without a code, which is 1005, as the %s closes it', async (side) => {
    const events = await closedBy(side, (socket) => {
      socket.close();
    });

    expect(events[other(side)].at(-1)).toEqual(['close', 1005, '']);
  });

  it.each(SIDES)('without a close frame, which is 1006, as the %s drops it', async (side) => {
    const events = await closedBy(side, (socket) => {
      socket.terminate();
    });

    expect(events[other(side)].at(-1)).toEqual(['close', 1006, '']);
  });

  it.each(SIDES)('with a reset, which is 1006, as the %s resets it', async (side) => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await openPair(server, way);
      const ends = { client, api };
      const reset = new Promise<unknown>((resolve) => {
        connectionOf(ends[other(side)].socket).once('error', resolve);
      });
      connectionOf(ends[side].socket).resetAndDestroy();
      const { code } = (await reset) as NodeJS.ErrnoException;
      return { code, events: await ends[other(side)].closed() };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual({ code: 'ECONNRESET', events: [['close', 1006, '']] });
  });

  it.each(SIDES)('with 1002, as the %s breaks the rules of frames', async (side) => {
    const events = await closedBy(side, (socket) => {
      // Opcode 3 is reserved.
      connectionOf(socket).write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]));
    });

    expect(events[side].at(-1)?.slice(0, 2)).toEqual(['close', 1002]);
  });
});

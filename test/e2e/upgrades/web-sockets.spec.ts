import { once } from 'node:events';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { openPair } from '../../support/clients/web-socket-client.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startUpgradeTunnel, type UpgradeTunnel } from '../../support/tunnels/upgrade-tunnel.js';
import { startUpgradeWays, type UpgradeWays } from '../../support/tunnels/upgrade-ways.js';
import {
  echo,
  startWebSocketServer,
  type TestWebSocketServer,
} from '../../support/upstreams/web-socket-server.js';

const LARGE_BYTES = 16_777_216;
/** Compressing so much takes seconds. */
const LARGE_LIMIT_MS = 100_000;

const shared = sharedResources();
let tunnel: UpgradeTunnel;
let ways: UpgradeWays;
/** Records what it is told, and no more. */
let server: TestWebSocketServer;

beforeAll(async () => {
  const accepting = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  accepting.on('connection', (socket) => {
    socket.on('message', (message: Buffer, isBinary) => {
      if (message.toString() === 'close') {
        socket.close(4000, 'as asked');
      } else {
        socket.send(message, { binary: isBinary });
      }
    });
  });
  tunnel = shared(
    await startUpgradeTunnel(({ message, socket, head }) => {
      accepting.handleUpgrade(message, socket, head, (accepted) => {
        accepting.emit('connection', accepted);
      });
    }),
  );
  server = shared(await startWebSocketServer(undefined, { perMessageDeflate: true }));
  ways = shared(await startUpgradeWays(server));
});

const open = async (path = '/', options = {}): Promise<WebSocket> => {
  const { outbound, clientHeaders } = tunnel;
  const socket = new WebSocket(outbound.url.replace('http', 'ws') + path, ['chat'], {
    headers: clientHeaders,
    ...options,
  });
  await once(socket, 'open');
  return socket;
};

describe('a WebSocket through the tunnel', () => {
  it('carries messages both ways, and its end', async () => {
    const socket = await open('/echo?x=1');
    for (const message of ['hello', 'x'.repeat(LARGE_BYTES)]) {
      const received = once(socket, 'message');
      socket.send(message);
      const [echoed] = (await received) as [Buffer];
      expect(echoed.toString() === message).toBe(true);
    }
    expect(socket.extensions).toContain('permessage-deflate');
    const closed = once(socket, 'close');
    socket.send('close');
    expect(await closed).toEqual([4000, Buffer.from('as asked')]);
    const { message } = await tunnel.upgrades.find(({ message }) => message.url === '/echo?x=1');
    expect(message.headers).not.toHaveProperty('x-mte-outbound-token');
    for (const { log } of [tunnel.outbound, tunnel.inbound]) {
      const ended = await log.find(({ msg }) => msg === 'upgraded connection ended');
      expect(ended).not.toHaveProperty('code');
    }
  });
});

describe('a WebSocket of ws, compared with the same one directly', () => {
  it('has its text, its binary messages, its fragments and what comes between them, in both directions', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await openPair(server, way);
      const ends = [client, api];
      for (const { socket } of ends) {
        socket.send('text: grüße, 世界');
        socket.send(Buffer.from([0, 0xff, 0x80]));
        socket.send('');
        socket.send('frag', { fin: false });
        // Only a frame that was sent on its own lets a ping pass between two parts of a message.
        socket.ping('in between');
        socket.send('men', { fin: false });
        socket.send('ts', { fin: true });
        socket.pong('unasked');
        socket.ping('x'.repeat(125));
      }
      await Promise.all(ends.map(({ events }) => events.count(9)));
      client.socket.close(1000);
      return Promise.all(ends.map((end) => end.closed()));
    });

    expect(tunnelled).toEqual(direct);
    for (const events of direct) {
      // Answers to a ping come when they are written.
      expect(events.filter(([name, text]) => name !== 'pong' || text === 'unasked')).toEqual([
        ['text', Buffer.from('text: grüße, 世界').toString('latin1')],
        ['binary', '\0\xff\x80'],
        ['text', ''],
        ['ping', 'in between'],
        ['text', 'fragments'],
        ['pong', 'unasked'],
        ['ping', 'x'.repeat(125)],
        ['close', 1000, ''],
      ]);
    }
  });

  it.each([
    ['compressed', true],
    ['not compressed', false],
  ])('carries messages of 16 MiB both ways at once, %s', async (_, perMessageDeflate) => {
    // It repeats only beyond the window of the compression.
    const random = Buffer.alloc(LARGE_BYTES, bytesOfSize(65_537));
    const text = 'sixteen octets.\n'.repeat(LARGE_BYTES / 16);
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await openPair(server, way, { perMessageDeflate });
      client.socket.send(random);
      api.socket.send(text);
      const ends = [client, api];
      await Promise.all(ends.map(({ events }) => events.count(1, LARGE_LIMIT_MS)));
      api.socket.close(1001, 'enough');
      return {
        extensions: ends.map(({ socket }) => socket.extensions),
        events: await Promise.all(ends.map((end) => end.closed())),
      };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.extensions).toEqual(
      Array.from({ length: 2 }, () => (perMessageDeflate ? 'permessage-deflate' : '')),
    );
    expect(direct.events.map((events) => events.map(([name]) => name))).toEqual([
      ['text', 'close'],
      ['binary', 'close'],
    ]);
  });

  it('waits for a client that does not read, and the others go on meanwhile', async () => {
    const echoing = forThisTest(await startWebSocketServer(echo));
    const others = forThisTest(await startUpgradeWays(echoing));
    const slow = await openPair(echoing, others.tunnelled);
    slow.client.socket.pause();
    // More than the sockets and the relays on the way take together.
    const message = bytesOfSize(LARGE_BYTES / 16);
    for (let sent = 0; sent < 64; sent += 1) {
      slow.api.socket.send(message);
    }

    const pairs = await Promise.all(
      Array.from({ length: 8 }, () => openPair(echoing, others.tunnelled)),
    );
    await Promise.all(
      pairs.map(async ({ client }, at) => {
        for (let turn = 1; turn <= 20; turn += 1) {
          client.socket.send(`${at}: ${turn}`);
          const received = await client.events.count(turn);
          expect(received.at(-1)).toEqual(['text', `${at}: ${turn}`]);
        }
      }),
    );

    expect(slow.client.events.items).toEqual([]);
    expect(slow.api.socket.bufferedAmount).toBeGreaterThan(0);
    slow.client.socket.resume();
    const received = await slow.client.events.count(64);
    expect(new Set(received.map((event) => event.join())).size).toBe(1);
    expect(slow.api.socket.bufferedAmount).toBe(0);
  });
});

import type { Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../support/lifecycle/resources.js';
import { statusOf } from '../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../support/tunnels/raw-tunnel.js';
import { WAYS, sendOn } from '../support/tunnels/ways.js';
import type { Script } from '../support/upstreams/scripted-upstream.js';

/**
 * The connections to the upstream serve all clients in turn. What an upstream sends behind the end of a response must therefore
 * never be taken for the response to the next client, whatever it looks like. Threat 64.
 */
const ROUNDS = 10;
const LATE_MS = 30;

const LATE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsteal';
/** A connection with this response would stay open for minutes, so one that is closed was closed for another reason. */
const KEPT = 'Keep-Alive: timeout=600\r\n';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
});

const isRequest = (path: string, startLine: string): boolean => startLine.includes(` ${path} `);

/** Responds to /next with its own content, and to everything else as a test wants. */
function respondingTo(first: Script): Script {
  return async (exchange) => {
    if (!isRequest('/next', exchange.head.startLine)) {
      await first(exchange);
      return;
    }
    await after(2 * LATE_MS);
    if (!exchange.socket.destroyed) {
      await exchange.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown');
    }
  };
}

const socketOf = (path: string): Socket => {
  const found = tunnel.upstream.exchanges.items.findLast(({ head }) =>
    isRequest(path, head.startLine),
  );
  return found!.socket;
};

describe.each(WAYS)('#64 what an upstream sends behind a response (%s)', (way) => {
  it(`to HEAD reaches no other client, even ${LATE_MS} ms later`, async () => {
    tunnel.upstream.follow(
      respondingTo(async ({ socket, write }) => {
        await write(`HTTP/1.1 200 OK\r\n${KEPT}Content-Length: ${LATE.length}\r\n\r\n`);
        await after(LATE_MS);
        if (!socket.destroyed) {
          socket.write(LATE);
        }
      }),
    );
    const received: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await sendOn(way, tunnel, 'HEAD /first');
      received.push((await sendOn(way, tunnel, 'GET /next')).body.toString());
    }
    expect(received).toEqual(Array(ROUNDS).fill('own'));
  });

  it.each([
    ['GET', `200 OK\r\n${KEPT}Content-Length: 2\r\n\r\nok`],
    ['HEAD', `200 OK\r\n${KEPT}Content-Length: ${LATE.length}\r\n\r\n`],
    ['GET', `204 No Content\r\n${KEPT}\r\n`],
    ['GET', `304 Not Modified\r\n${KEPT}\r\n`],
  ])('to %s with it or on an idle connection ends the connection (%s)', async (...row) => {
    const [method, response] = row;
    for (const isLate of [false, true]) {
      tunnel.upstream.follow(
        respondingTo(({ write }) => write(`HTTP/1.1 ${response}${isLate ? '' : LATE}`)),
      );
      await sendOn(way, tunnel, `${method} /first`);
      if (isLate) {
        socketOf('/first').write(LATE);
      }
      await tunnel.upstream.sockets.until(0);
      expect((await sendOn(way, tunnel, 'GET /next')).body.toString()).toBe('own');
      socketOf('/next').destroy();
      await tunnel.upstream.sockets.until(0);
    }
  });

  it.each(['204 No Content', '304 Not Modified'])(
    'to a request with a %s that announces content ends the connection',
    async (status) => {
      tunnel.upstream.follow(
        respondingTo(async ({ socket, write }) => {
          await write(`HTTP/1.1 ${status}\r\n${KEPT}Transfer-Encoding: chunked\r\n\r\n`);
          await after(LATE_MS);
          if (!socket.destroyed) {
            socket.write(LATE);
          }
        }),
      );
      const first = await sendOn(way, tunnel, 'GET /first');
      expect(statusOf(first.head!)).toBe(Number(status.slice(0, 3)));
      expect((await sendOn(way, tunnel, 'GET /next')).body.toString()).toBe('own');
      expect(socketOf('/next')).not.toBe(socketOf('/first'));
    },
  );
});

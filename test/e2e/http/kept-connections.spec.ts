import type { Socket } from 'node:net';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { statusOf } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { WAYS, sendOn, type Way } from '../../support/tunnels/ways.js';
import { respondOk, type ScriptedExchange } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

const ENDINGS = {
  closes: (socket: Socket) => socket.end(),
  resets: (socket: Socket) => socket.resetAndDestroy(),
};

/** The upstream serves the first request of each connection, and ends the connection as the second arrives. */
function endReuse(end: (exchange: ScriptedExchange) => unknown): void {
  const used = new WeakSet<Socket>();
  tunnel.upstream.follow(async (exchange) => {
    if (used.has(exchange.socket)) {
      await end(exchange);
      return;
    }
    used.add(exchange.socket);
    await respondOk(exchange);
  });
}

beforeEach(() => {
  for (const { socket } of tunnel.upstream.exchanges.items) {
    socket.destroy();
  }
  tunnel.upstream.exchanges.items.length = 0;
});

const send = async (way: Way, method: string, body = '') => {
  const fields = body === '' ? [] : [['Content-Length', String(body.length)] as const];
  const { head, body: content } = await sendOn(way, tunnel, `${method} /x`, fields, body);
  return { status: statusOf(head!), content: content.toString() };
};

const received = (): number => tunnel.upstream.exchanges.items.length;

describe.each(WAYS)('a kept connection of the upstream (%s)', (way) => {
  describe.each(Object.entries(ENDINGS))('that it %s as the next request arrives', (_how, end) => {
    it.each(['GET', 'HEAD', 'OPTIONS'])('costs a %s nothing: it is sent again', async (method) => {
      endReuse(({ socket }) => end(socket));
      expect(await send(way, 'GET')).toMatchObject({ status: 200 });

      expect(await send(way, method)).toMatchObject({ status: 200 });

      expect(received()).toBe(3);
      const role = way === 'tunnel' ? 'inbound' : 'pass-through';
      const line = await tunnel.inbound.log.find(
        (entry) => entry['role'] === role && entry['upstreamAttempt'] !== undefined,
      );
      expect(line).toMatchObject({ msg: 'request completed', upstreamAttempt: 2 });
      tunnel.inbound.log.items.length = 0;
    });

    it.each(
      ['POST', 'PUT', 'DELETE', 'PATCH'].flatMap((method) => [
        [method, 'no body', ''],
        [method, 'a body', 'body'],
      ]),
    )('#65 costs a %s with %s its response: 502', async (...row) => {
      const [method, , sent] = row;
      endReuse(({ socket }) => end(socket));
      expect(await send(way, 'GET')).toMatchObject({ status: 200 });

      const { status, content } = await send(way, method, sent);

      expect(status).toBe(502);
      expect(content).toContain('"code":"RELAY_UPSTREAM_FAILED"');
      expect(content).toContain('"forwarded":"maybe"');
      expect(received()).toBe(2);
    });
  });

  it.each([
    ['an octet of a response', 'H'],
    ['an interim response', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('that ends after %s has not lost the request: it is not sent again', async (_what, octets) => {
    endReuse(async ({ socket, write }) => {
      await write(octets);
      socket.end();
    });
    expect(await send(way, 'GET')).toMatchObject({ status: 200 });
    expect(await send(way, 'GET')).toMatchObject({ status: 502 });
    expect(received()).toBe(2);
  });

  it('that ends with the first request of the next one as well costs a 502: there is no third', async () => {
    let served = 0;
    tunnel.upstream.follow(async (exchange) => {
      served += 1;
      if (served === 1) {
        await respondOk(exchange);
      } else {
        exchange.socket.end();
      }
    });
    expect(await send(way, 'GET')).toMatchObject({ status: 200 });
    const { status, content } = await send(way, 'GET');
    expect(status).toBe(502);
    expect(content).toContain('"forwarded":"maybe"');
    expect(received()).toBe(3);
  });

  it('that ends under each of several requests at a time costs none of them', async () => {
    const waiting: ScriptedExchange[] = [];
    tunnel.upstream.follow(async (exchange) => {
      waiting.push(exchange);
      if (waiting.length === 3) {
        await Promise.all(waiting.map(async (one) => respondOk(one)));
      }
    });
    const parallel = async () => Promise.all([1, 2, 3].map(() => send(way, 'GET')));
    expect(await parallel()).toMatchObject([{ status: 200 }, { status: 200 }, { status: 200 }]);
    const kept = new Set(waiting.map(({ socket }) => socket));
    tunnel.upstream.follow(async (exchange) => {
      if (kept.has(exchange.socket)) {
        exchange.socket.end();
      } else {
        await respondOk(exchange);
      }
    });
    expect(await parallel()).toMatchObject([{ status: 200 }, { status: 200 }, { status: 200 }]);
  });
});

describe('a request that runs out of time while it is sent again', () => {
  it('ends within one RESPONSE_TIMEOUT_MS, with forwarded: maybe', async () => {
    const slow = await startRawTunnel({ both: { RESPONSE_TIMEOUT_MS: '500' } });
    try {
      const used = new WeakSet<Socket>();
      let hits = 0;
      slow.upstream.follow(async (exchange) => {
        hits += 1;
        if (hits === 1) {
          used.add(exchange.socket);
          await respondOk(exchange);
        } else if (used.has(exchange.socket)) {
          exchange.socket.end();
        }
      });
      await sendOn('tunnel', slow, 'GET /x');
      const { head, body } = await sendOn('tunnel', slow, 'GET /x');
      expect(statusOf(head!)).toBe(504);
      expect(body.toString()).toContain('"code":"RELAY_UPSTREAM_TIMEOUT"');
      expect(body.toString()).toContain('"forwarded":"maybe"');
      expect(hits).toBe(3);
    } finally {
      await slow.close();
    }
  });
});

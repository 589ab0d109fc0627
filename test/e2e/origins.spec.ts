import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { openWebSocket } from '../support/clients/web-socket-client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { echoBody } from '../support/upstreams/upstream.js';
import { echo, startWebSocketServer } from '../support/upstreams/web-socket-server.js';
import { startOriginsTunnel, type OriginsTunnel } from '../support/tunnels/origins-tunnel.js';

const LIMIT = { timeout: 30_000, interval: 20 };

/** How many of these requests each origin has served. */
const shares = (served: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(served)].sort().map((name) => [name, served.filter((one) => one === name).length]),
  );

/** A body whose parts arrive one after the other. */
const inParts = (parts: readonly string[]): Readable =>
  Readable.from(
    (async function* () {
      for (const part of parts) {
        yield Buffer.from(part);
        await after(20);
      }
    })(),
  );

describe.each(['message', 'auto', 'channel'])(
  'a peer with three origins, transport %s',
  (transport) => {
    let tunnel: OriginsTunnel;

    beforeEach(async () => {
      tunnel = forThisTest(await startOriginsTunnel(transport));
      // Each origin has been paired with, as after a minute of traffic.
      await sendAll(6);
      tunnel.upstream.forget();
    });

    /** @returns the statuses of requests that are sent one after the other */
    const sendAll = async (count: number, method = 'POST'): Promise<number[]> => {
      const statuses: number[] = [];
      for (let sent = 0; sent < count; sent += 1) {
        const { status } = await tunnel.send({ method, path: `/${sent}`, body: `body ${sent}` });
        statuses.push(status);
      }
      return statuses;
    };

    it('has its origins asked in turn, whether a client names the peer or one of them', async () => {
      const headers = { 'x-mte-upstream': tunnel.inbound[0]!.url };
      for (let sent = 0; sent < 6; sent += 1) {
        await tunnel.send();
        await tunnel.send({ headers });
      }
      expect(shares(tunnel.served())).toEqual({ B1: 4, B2: 4, B3: 4 });
      const served = tunnel.served().join(' ');
      expect(served.repeat(2)).toContain('B1 B2 B3');
    });

    it('loses no request when an origin has gone, and each of the others serves half', async () => {
      await tunnel.inbound[1]!.close();
      expect(await sendAll(12)).toEqual(Array<number>(12).fill(200));
      expect(shares(tunnel.served())).toEqual({ B1: 6, B3: 6 });
      expect(tunnel.upstream.hits).toBe(12);
      const { url } = tunnel.inbound[1]!;
      const failovers = tunnel.outbound.log.items.filter(
        ({ msg }) => msg === 'trying another origin of the peer',
      );
      expect(failovers.map(({ level, peer }) => ({ level, peer }))).toEqual(
        failovers.map(() => ({ level: 20, peer: url })),
      );
      expect(failovers.length).toBeGreaterThan(0);
      const { requestId } = failovers[0]!;
      const line = await tunnel.outbound.log.find(
        ({ msg, requestId: id }) => msg === 'request completed' && id === requestId,
      );
      expect(tunnel.inbound.map((relay) => relay.url)).toContain(line['peer']);
      expect(line['peer']).not.toBe(url);
      expect(line['attempt']).toBeGreaterThan(0);
    });

    it('gives an origin its share again once it is back', async () => {
      await tunnel.inbound[2]!.close();
      await sendAll(6);
      await tunnel.restart(2);
      await vi.waitFor(async () => {
        tunnel.upstream.forget();
        expect(await sendAll(6)).toEqual(Array<number>(6).fill(200));
        expect(shares(tunnel.served())).toEqual({ B1: 2, B2: 2, B3: 2 });
      }, LIMIT);
    });

    it('is 503 with retry-after and a proof if all its origins have gone', async () => {
      await Promise.all(tunnel.inbound.map((relay) => relay.close()));
      await vi.waitFor(async () => {
        const response = await tunnel.send({ method: 'POST', body: 'body' });
        const { code, forwarded } = errorOf(response);
        expect({ status: response.status, code, forwarded }).toEqual({
          status: 503,
          code: 'RELAY_PEER_UNAVAILABLE',
          forwarded: 'no',
        });
        expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
      }, LIMIT);
      expect(tunnel.upstream.hits).toBe(0);
    });

    it('gets a body that arrives in parts whole, whichever origin has gone', async () => {
      await tunnel.inbound[0]!.close();
      const parts = ['one ', 'two ', 'three'];
      for (let sent = 0; sent < 3; sent += 1) {
        const { status, body } = await tunnel.send({ method: 'POST', body: inParts(parts) });
        expect(`${status} ${body.toString()}`).toBe('200 one two three');
      }
      expect(tunnel.upstream.hits).toBe(3);
    });

    it.each(['GET', 'POST'])(
      'never has a %s sent to a second origin that may have run at the first: #104',
      async (method) => {
        tunnel.upstream.handle(async (request, response) => {
          // Only the first is left running.
          if (tunnel.upstream.hits > 1) {
            await echoBody(request, response);
          }
        });
        const sent = tunnel.send({
          method,
          path: '/running',
          ...(method === 'POST' && { body: '1' }),
        });
        await tunnel.upstream.requests.find(({ url }) => url === '/running');
        const [name] = tunnel.served();
        await tunnel.inbound[Number(name?.slice(1)) - 1]!.close();

        const response = await sent;
        expect(response.status).toBeGreaterThanOrEqual(502);
        expect(errorOf(response).forwarded).toBe('maybe');
        expect(tunnel.served()).toEqual([name]);
        expect(
          tunnel.outbound.log.items.filter(
            ({ msg }) => msg === 'trying another origin of the peer',
          ),
        ).toEqual([]);
      },
    );
  },
);

describe('a peer with three origins of which one is overloaded', () => {
  it.each(['message', 'auto'])(
    'has what that one refuses served by another, once: transport %s',
    async (transport) => {
      const waiting: (() => void)[] = [];
      const tunnel = forThisTest(
        await startOriginsTunnel(
          transport,
          async (request, response) => {
            if (request.url === '/long') {
              await new Promise<void>((respond) => waiting.push(respond));
            }
            await echoBody(request, response);
          },
          [{ MAX_CONCURRENT_REQUESTS: '1' }],
        ),
      );
      const send = (path: string) => tunnel.send({ method: 'POST', path, body: path });
      const long = [send('/long'), send('/long'), send('/long')];
      await vi.waitFor(() => {
        expect(shares(tunnel.served())).toEqual({ B1: 1, B2: 1, B3: 1 });
      }, LIMIT);

      const parts = Array.from({ length: 5 }, (_, at) => `part ${at}, `);
      const short = await Promise.all([
        ...Array.from({ length: 9 }, (_, at) => send(`/${at}`)),
        // They are refused while they are arriving.
        ...Array.from({ length: 6 }, () => tunnel.send({ method: 'POST', body: inParts(parts) })),
      ]);
      expect(short.map(({ status, body }) => `${status} ${body.toString()}`)).toEqual([
        ...Array.from({ length: 9 }, (_, at) => `200 /${at}`),
        ...Array<string>(6).fill(`200 ${parts.join('')}`),
      ]);
      expect(tunnel.upstream.hits).toBe(3 + 9 + 6);
      expect(tunnel.served().filter((name) => name === 'B1')).toHaveLength(1);
      for (const respond of waiting) {
        respond();
      }
      expect((await Promise.all(long)).map(({ status }) => status)).toEqual([200, 200, 200]);
    },
  );
});

describe('a WebSocket to a peer with three origins', () => {
  it('is opened through another origin if one has gone', async () => {
    const api = forThisTest(await startWebSocketServer(echo));
    const environment = { UPSTREAM: api.url };
    const tunnel = forThisTest(
      await startOriginsTunnel('auto', undefined, [environment, environment, environment]),
    );
    const { outbound, inbound, clientHeaders: headers } = tunnel;
    const way = { url: outbound.url, webSocketUrl: outbound.url.replace('http', 'ws'), headers };
    await inbound[1]!.close();

    for (let opened = 0; opened < 4; opened += 1) {
      const { socket, events } = await openWebSocket(way);
      socket.send(`message ${opened}`);
      expect(await events.find()).toEqual(['text', `message ${opened}`]);
      socket.terminate();
    }
    expect(api.accepted.items).toHaveLength(4);
  });
});

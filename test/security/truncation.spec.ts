import { Readable } from 'node:stream';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startAttackedTunnel, type AttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf } from '../support/clients/client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { TOKEN } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { startTunnel } from '../support/tunnels/tunnel.js';

const ANSWER = Buffer.alloc(150_000, 'answer ');

const shared = sharedResources();
let tunnel: AttackedTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startAttackedTunnel({
      handler: async (request, response) => {
        await request.body();
        const hasLength = request.url === '/length';
        response.writeHead(200, hasLength ? { 'content-length': ANSWER.length } : {});
        response.end(ANSWER);
      },
    }),
  );
});

beforeEach(() => {
  tunnel.upstream.forget();
});

const fields = (): string =>
  `host: a\r\nx-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${tunnel.attacker.url}\r\n`;

describe('#3 a response that is cut in transit', () => {
  /** Cuts after the head, within a record, between two records, and before the last byte. */
  const cuts = [0, 1, 260, 276, 4_000, 65_829, 65_830, 131_000, 149_000, -20, -1];

  it.each([
    ['an HTTP/1.1 client', '1.1', '/length'],
    ['an HTTP/1.1 client that gets chunks', '1.1', '/chunked'],
    ['an HTTP/1.0 client', '1.0', '/length'],
    ['an HTTP/1.0 client that gets no length', '1.0', '/chunked'],
  ])('is a 502 or a reset for %s, never a complete response', async (_who, version, path) => {
    for (const cut of cuts) {
      tunnel.attacker.interceptTunnel(async (request, deliver) => {
        const response = await deliver(request);
        return { ...response, body: response.body.subarray(0, cut) };
      });
      const socket = forThisTest(openSocket(tunnel.outbound.port));
      socket.write(`GET ${path} HTTP/${version}\r\n${fields()}connection: close\r\n\r\n`);

      const ended = await socket.ended;

      const text = socket.received.toString('latin1');
      if (ended === 'end') {
        expect(text, `cut at ${cut}`).toMatch(/^HTTP\/1.1 502 /);
      } else {
        expect(text, `cut at ${cut}`).toMatch(/^(HTTP\/1.1 200 |$)/);
        expect(text, `cut at ${cut}`).not.toMatch(/0\r\n\r\n$/);
      }
    }
  });

  it('is a 502 for a client that uses MTE, and none of it is released', async () => {
    for (const cut of cuts) {
      tunnel.attacker.interceptTunnel(async (request, deliver) => {
        const response = await deliver(request);
        return { ...response, body: response.body.subarray(0, cut) };
      });

      const response = await tunnel.send({
        path: '/length',
        headers: { 'x-mte-encode-type': 'MTE' },
      });

      expect(response.status, `cut at ${cut}`).toBe(502);
      expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    }
  });
});

describe('#3 a request that is cut in transit', () => {
  const whole = Buffer.alloc(150_000, 'request ');
  const chunked = (): Readable => Readable.from([whole], { objectMode: false });

  it.each([
    ['MKE', 'with a length', [0, 1, 260, 276, 65_829, 131_000], () => whole],
    ['MKE', 'in chunks', [0, 1, 260, 276, 65_829, 131_000, -21, -20, -1], chunked],
    ['MTE', 'with a length', [0, 1, 260, 276, 65_829, 131_000, -21, -20, -1], () => whole],
    ['MTE', 'in chunks', [0, 1, 260, 276, 65_829, 131_000, -21, -20, -1], chunked],
  ])('is never executed (%s, %s)', async (type, _how, cuts, body) => {
    for (const cut of cuts) {
      tunnel.attacker.interceptTunnel((request, deliver) =>
        deliver({ ...request, body: request.body.subarray(0, cut) }),
      );

      const response = await tunnel.send({
        method: 'POST',
        path: '/length',
        headers: { 'x-mte-encode-type': type },
        body: body(),
      });

      expect(response.status, `cut at ${cut}`).toBe(502);
    }

    expect(await tunnel.executions()).toBe(0);
  });

  it.each(['resets', 'ends'])('is aborted at the upstream if the connection %s', async (how) => {
    const direct = forThisTest(await startTunnel());
    const tap = forThisTest(await startTap(direct.inbound.port));
    await direct.send({ headers: { 'x-mte-upstream': tap.url } });
    direct.upstream.forget();
    tap.alter((chunk, from, connection) => {
      if (from === 'near' && connection.sent().length > 400_000) {
        if (how === 'resets') {
          connection.far.resetAndDestroy();
        } else {
          connection.far.end();
        }
        return undefined;
      }
      return chunk;
    });

    const response = await direct.send({
      method: 'POST',
      headers: { 'x-mte-upstream': tap.url },
      body: Buffer.alloc(1_000_000),
    });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    const outcomes = await Promise.all(
      direct.upstream.requests.items.map(({ outcome }) => outcome),
    );
    expect(outcomes).not.toContain('complete');
  });
});

import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { samplesOf } from '../../support/relays/admin.js';
import { errorOf } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';
import { echoBody } from '../../support/upstreams/upstream.js';

const MIB = 1024 * 1024;
const LIMIT = 10 * MIB;
const IDLE_MS = 1_500;
const READING_MS = 2 * IDLE_MS;

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: { ADMIN_PORT: '0' } }));
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

const send = (body: Buffer | Readable) =>
  tunnel.send({
    method: 'POST',
    path: '/mte',
    headers: { 'x-mte-encode-type': 'MTE' },
    body,
  });

const stream = (bytes: number): Readable =>
  Readable.from([Buffer.alloc(bytes - 1), Buffer.alloc(1)], { objectMode: false });

describe('an MTE message', () => {
  it('of 10 MiB is carried in both directions', async () => {
    const response = await send(Buffer.alloc(LIMIT, 'x'));

    expect(response.status).toBe(200);
    expect(response.body).toHaveLength(LIMIT);
  });

  it.each([
    ['of known length', () => Buffer.alloc(LIMIT)],
    ['in chunks', () => stream(LIMIT)],
  ])(
    'of 10 MiB, %s, may take an upstream longer than IDLE_TIMEOUT_MS to read, as long as it keeps reading',
    async (_how, make) => {
      const inbound = { IDLE_TIMEOUT_MS: String(IDLE_MS) };
      const impatient = forThisTest(await startTunnel({ inbound }));
      impatient.upstream.handle(async ({ message }, response) => {
        const beganMs = performance.now();
        let bytes = 0;
        for await (const chunk of message) {
          bytes += (chunk as Buffer).length;
          // The pace follows the clock, so that a slow machine does not also read more slowly.
          const dueMs = beganMs + (READING_MS * bytes) / LIMIT;
          await after(Math.max(0, dueMs - performance.now()));
        }
        response.end(String(bytes));
      });

      const response = await impatient.send({
        method: 'POST',
        headers: { 'x-mte-encode-type': 'MTE' },
        body: make(),
      });

      expect([response.status, response.body.toString()]).toEqual([200, String(LIMIT)]);
    },
  );

  it.each([
    ['of known length', () => Buffer.alloc(LIMIT + 1)],
    ['in chunks', () => stream(LIMIT + 1)],
  ])(
    'of one byte more, %s, results in a sealed 413 and does not reach the upstream',
    async (_how, make) => {
      const response = await send(make());

      expect(response.status).toBe(413);
      expect(errorOf(response)).toMatchObject({ code: 'RELAY_BODY_TOO_LARGE', forwarded: 'no' });
      expect(tunnel.upstream.hits).toBe(0);
      await tunnel.inbound.log.find(({ code }) => code === 'RELAY_BODY_TOO_LARGE');
    },
  );

  it.each([
    ['of known length', { 'content-length': LIMIT + 1 }],
    ['in chunks', {}],
  ])(
    'whose response is one byte too large, %s, results in a 502 with forwarded: maybe',
    async (_how, headers) => {
      tunnel.upstream.handle(async (request, response) => {
        await request.body();
        response.writeHead(200, headers);
        response.end(Buffer.alloc(LIMIT + 1));
      });

      const response = await send(Buffer.from('x'));

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_PEER_ANSWER_TOO_LARGE',
        forwarded: 'maybe',
      });
      expect(tunnel.upstream.hits).toBe(1);
      // The peer is not at fault.
      const metrics = await samplesOf(tunnel.outbound);
      expect(metrics.get('mte_relay_signature_failures_total{role="outbound"}')).toBe(0);
      expect(metrics.get('mte_relay_pairings_total{code="ok",reason="suspected"}')).toBeUndefined();
    },
  );
});

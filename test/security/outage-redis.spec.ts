import { randomBytes } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { errorOf } from '../support/client.js';
import { forThisTest } from '../support/resources.js';
import {
  startSharedSessionTunnel,
  type SharedSessionTunnel,
} from '../support/shared-session-tunnel.js';

const WAVES = 20;
const WAVE_REQUESTS = 10;
const ANSWER_LIMIT_MS = 1_500;
/** Wipes are what is tested: a machine that is busy should not add an outage. */
const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

let tunnel: SharedSessionTunnel;

describe('#15 a Redis that is wiped twenty times in a run of 200 requests', () => {
  beforeEach(async () => {
    tunnel = forThisTest(await startSharedSessionTunnel(PATIENT));
  });

  it('costs none of them, and each is executed once', async () => {
    const ids = Array.from({ length: WAVES * WAVE_REQUESTS }, (_, id) => id);
    const bodies = [100, 1_000, 10_000, 65_536, 1_048_576].map((bytes) => randomBytes(bytes));
    const send = async (id: number): Promise<void> => {
      const body = bodies[id % bodies.length]!;
      const answer = await tunnel.send({ method: 'POST', path: `/${id}`, body });
      expect(answer.status).toBe(200);
      expect(answer.body.equals(body)).toBe(true);
    };
    for (let wave = 0; wave < WAVES; wave += 1) {
      const [first = 0, ...others] = ids.slice(wave * WAVE_REQUESTS, (wave + 1) * WAVE_REQUESTS);
      // It takes the place of the session that was wiped before: a request that meets two wipes may be refused.
      await send(first);
      const sent = others.map(send);
      // One is answered, the others are anywhere between two relays.
      await Promise.race(sent);
      await tunnel.redis.flushall();
      await Promise.all(sent);
    }

    const paths = tunnel.upstream.requests.items.map(({ url }) => url);
    expect(paths.sort()).toEqual(ids.map((id) => `/${id}`).sort());
  });
});

describe('#18 a Redis that does not serve', () => {
  beforeEach(async () => {
    tunnel = forThisTest(await startSharedSessionTunnel());
  });

  it.each<[string, () => Promise<unknown>]>([
    ['is a read-only replica', () => tunnel.redis.replicaof('127.0.0.1', '9')],
    ['does not answer', () => tunnel.redis.call('CLIENT', 'PAUSE', '10000', 'ALL')],
    ['is dead', () => tunnel.server.kill()],
  ])(
    'since it %s makes 503s: nothing is forwarded, and nothing called unknown',
    async (_, fail) => {
      expect(await tunnel.send({ method: 'POST', path: '/before' })).toMatchObject({ status: 200 });
      await fail();

      const answers = await Promise.all(
        METHODS.map(async (method) => {
          const startedAt = performance.now();
          const answer = await tunnel.send({ method, path: '/meanwhile' });
          return { answer, ms: performance.now() - startedAt };
        }),
      );

      for (const { answer, ms } of answers) {
        expect(answer.status).toBe(503);
        expect(errorOf(answer)).toMatchObject({
          code: 'RELAY_PEER_STORE_UNAVAILABLE',
          forwarded: 'maybe',
        });
        expect(ms).toBeLessThan(ANSWER_LIMIT_MS);
      }
      expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/before']);
      const stated = tunnel.inbound[0].log.items.map(({ status }) => status);
      expect(stated).not.toContain(560);
    },
  );
});

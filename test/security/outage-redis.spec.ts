import { randomBytes } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { errorOf, type ClientResponse } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  startSharedSessionTunnel,
  type SharedSessionTunnel,
} from '../support/tunnels/shared-session-tunnel.js';

const WAVES = 20;
const WAVE_REQUESTS = 10;
/** A command fails after 800 ms. The rest is for a slow machine, well below the pause of 10 s. */
const RESPONSE_LIMIT_MS = 5_000;
/** The test is about wipes: a busy machine must not add an outage. */
const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

let tunnel: SharedSessionTunnel;

describe('#15 a Redis that is wiped twenty times during 200 requests', () => {
  beforeEach(async () => {
    tunnel = forThisTest(await startSharedSessionTunnel(PATIENT));
  });

  it('costs safe requests nothing; others are executed once, or not at all and their clients told "maybe"', async () => {
    const ids = Array.from({ length: WAVES * WAVE_REQUESTS }, (_, id) => id);
    const bodies = [100, 1_000, 10_000, 65_536, 1_048_576].map((bytes) => randomBytes(bytes));
    const bodyOf = (id: number): Buffer => bodies[id % bodies.length]!;
    const read = async (id: number): Promise<void> => {
      expect(await tunnel.send({ path: `/${id}` })).toMatchObject({ status: 200 });
    };
    const post = (id: number): Promise<ClientResponse> =>
      tunnel.send({ method: 'POST', path: `/${id}`, body: bodyOf(id) });
    const uncertain: number[] = [];
    const postUnderWay = async (id: number): Promise<void> => {
      const response = await post(id);
      if (response.status === 200) {
        expect(response.body.equals(bodyOf(id))).toBe(true);
        return;
      }
      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_PEER_REFUSED_MESSAGE',
        forwarded: 'maybe',
      });
      uncertain.push(id);
    };
    for (let wave = 0; wave < WAVES; wave += 1) {
      const [first = 0, second = 0, ...others] = ids.slice(
        wave * WAVE_REQUESTS,
        (wave + 1) * WAVE_REQUESTS,
      );
      // It replaces the session that was wiped last: a request that meets two wipes may be refused.
      await read(first);
      expect(await post(second)).toMatchObject({ status: 200 });
      const sent = others.map((id) => (id % 2 === 0 ? read(id) : postUnderWay(id)));
      // One has been answered; the others may be anywhere between the two relays.
      await Promise.race(sent);
      await tunnel.redis.flushall();
      await Promise.all(sent);
    }

    const paths = tunnel.upstream.requests.items.map(({ url }) => url);
    const executed = ids.filter((id) => !uncertain.includes(id));
    expect(paths.sort()).toEqual(executed.map((id) => `/${id}`).sort());
  });
});

describe('#18 an unavailable Redis', () => {
  beforeEach(async () => {
    tunnel = forThisTest(await startSharedSessionTunnel());
  });

  it.each<[string, () => Promise<unknown>]>([
    ['read-only replica', () => tunnel.redis.replicaof('127.0.0.1', '9')],
    ['no reply', () => tunnel.redis.call('CLIENT', 'PAUSE', '10000', 'ALL')],
    ['killed', () => tunnel.server.kill()],
  ])(
    'causes 503s: nothing is forwarded, and no session is reported as unknown (%s)',
    async (_, fail) => {
      expect(await tunnel.send({ method: 'POST', path: '/before' })).toMatchObject({ status: 200 });
      await fail();

      const responses = await Promise.all(
        METHODS.map(async (method) => {
          const startedAt = performance.now();
          const response = await tunnel.send({ method, path: '/meanwhile' });
          return { response, ms: performance.now() - startedAt };
        }),
      );

      for (const { response, ms } of responses) {
        expect(response.status).toBe(503);
        expect(errorOf(response)).toMatchObject({
          code: 'RELAY_PEER_STORE_UNAVAILABLE',
          forwarded: 'maybe',
        });
        expect(ms).toBeLessThan(RESPONSE_LIMIT_MS);
      }
      expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/before']);
      const statuses = tunnel.inbound[0].log.items.map(({ status }) => status);
      expect(statuses).not.toContain(560);
    },
  );
});

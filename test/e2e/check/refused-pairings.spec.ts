import { createServer, request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { Clock, SystemClock } from '@relay/clock';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { checkOf } from '../../support/relays/check.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../../support/relays/relay.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';

const startB = async (environment: RelayEnvironment = {}): Promise<TestRelay> =>
  forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto', ...environment }));

describe('another secret', () => {
  it('is named at the step secret, with our key id', async () => {
    const { report, step, failed } = await checkOf(
      (await startB({ CLIENT_ID_SECRET: newSecret() })).url,
    );

    expect(failed).toEqual(['secret']);
    expect(step('secret')).toMatchObject({ code: 'CHECK_SECRET_DIFFERS' });
    expect(step('secret').cause).toContain(report.keyId ?? 'no key id');
    expect(step('pairing')).toMatchObject({ ok: null, detail: 'not reached' });
  });

  it('works if relay B accepts ours as well', async () => {
    const ours = newSecret();
    const relayB = await startB({ CLIENT_ID_SECRET_ALT: ours });
    expect((await checkOf(relayB.url, { CLIENT_ID_SECRET: ours })).failed).toEqual([]);
  });
});

describe('an audience that relay B does not accept', () => {
  it('is named at the step audience: the secret is the right one', async () => {
    const relayB = await startB({ RELAY_AUDIENCE: 'https://b.example' });

    const { step, failed } = await checkOf(relayB.url);

    expect(failed).toEqual(['audience']);
    expect(step('secret').ok).toBe(true);
    expect(step('audience')).toMatchObject({ code: 'CHECK_AUDIENCE_REFUSED' });
    expect(step('audience').cause).toContain(relayB.url);
  });

  it('cannot be told from another secret behind what keeps requests until they are complete', async () => {
    const relayB = await startB({ RELAY_AUDIENCE: 'https://b.example' });
    const gateway = forThisTest(await startBufferingGateway(relayB.port));

    const { step, failed } = await checkOf(gateway.url);

    expect(failed).toEqual(['secret']);
    expect(step('secret')).toMatchObject({ code: 'CHECK_SECRET_OR_AUDIENCE' });
  });
});

it('a relay with our CLIENT_ID takes us for itself, which is named at the step audience', async () => {
  const relayB = await startB({ CLIENT_ID: 'twin' });

  const { step, failed } = await checkOf(relayB.url, { CLIENT_ID: 'twin' });

  expect(failed).toEqual(['audience']);
  expect(step('audience')).toMatchObject({ code: 'CHECK_SENDER_SELF' });
});

describe('clocks that differ', () => {
  const HOUR_MS = 3_600_000;
  const startAhead = async (ms: number): Promise<TestRelay> => {
    const clock = new SystemClock();
    const ahead: Clock = {
      nowMs: () => clock.nowMs() + ms,
      monotonicMs: () => clock.monotonicMs(),
    };
    return forThisTest(
      await startRelay({ TUNNEL_TRANSPORT: 'auto' }, (builder) =>
        builder.overrideProvider(Clock).useValue(ahead),
      ),
    );
  };

  it.each([
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ])('by an hour are named, with how far relay B is %s', async (direction, ms) => {
    const { step, failed } = await checkOf((await startAhead(ms)).url);

    expect(failed).toEqual(['clock']);
    expect(step('clock')).toMatchObject({ code: 'CHECK_CLOCK_SKEW' });
    const [, shownMs] = /about (\d+) ms/.exec(step('clock').cause ?? '') ?? [];
    expect(Math.abs(Number(shownMs) - HOUR_MS)).toBeLessThan(60_000);
    expect(step('clock').cause).toContain(direction);
    expect(step('pairing').ok).toBe(true);
  });

  it('by less than the limit pass', async () => {
    expect((await checkOf((await startAhead(100_000)).url)).failed).toEqual([]);
  });
});

it('a relay B whose Redis is away is named at the step store', async () => {
  const redis = await startRedisServer();
  const relayB = await startB({ REDIS_URL: redis.url });
  await redis.stop();

  const { step, failed } = await checkOf(relayB.url);

  expect(failed).toEqual(['store']);
  expect(step('store')).toMatchObject({ code: 'CHECK_STORE_AWAY' });
  expect(step('audience').ok).toBe(true);
  expect(step('pairing').ok).toBeNull();
});

it('too many pairings are named at the step pairing', async () => {
  const relayB = await startB({ MAX_PAIRINGS_PER_MINUTE: '1' });
  const CLIENT_ID = 'often';
  await checkOf(relayB.url, { CLIENT_ID });

  const { step, failed } = await checkOf(relayB.url, { CLIENT_ID });

  expect(failed).toEqual(['pairing']);
  expect(step('pairing')).toMatchObject({ code: 'CHECK_PAIRING_LIMITED' });
});

/** Passes a request on once it has all of it, as nginx does by default. */
async function startBufferingGateway(port: number) {
  return listen(
    createServer((incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      void buffer(incoming).then(
        (body) => {
          const onward = httpRequest({ port, method, path, headers, agent: false }, (response) => {
            outgoing.writeHead(response.statusCode ?? 502, response.headers);
            response.pipe(outgoing);
          });
          onward.on('error', () => outgoing.destroy());
          onward.end(body);
        },
        () => outgoing.destroy(),
      );
    }),
  );
}

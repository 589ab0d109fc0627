import type { ServerResponse } from 'node:http';

import { Clock } from '@relay/clock';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../support/certificates/certificates.js';
import type { ClientRequestSpec } from '../support/clients/client.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { startRelay } from '../support/relays/relay.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { expectQuoted, section } from '../support/assertions/troubleshooting.js';
import { IS_OVER_CHANNELS } from '../support/tunnels/transport.js';
import { startTunnel, type Tunnel, type TunnelOptions } from '../support/tunnels/tunnel.js';

const NOWHERE = 'http://127.0.0.1:9';
const NO_NAME = 'no-such-host.invalid';
const MIB = 1024 * 1024;

const shared = sharedResources();
let plain: Tunnel;
let authority: Authority;

beforeAll(async () => {
  plain = shared(await startTunnel());
  authority = shared(makeAuthority());
});

const tlsOf = (name: string, altName: string) => {
  const { cert, key } = authority.issue(name, altName);
  return { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
};

interface Trouble {
  readonly heading: string;
  readonly options: () => TunnelOptions;
  readonly spec?: ClientRequestSpec;
  readonly status: number;
  readonly outbound?: readonly string[];
  readonly inbound?: readonly string[];
}

const STORE = '503: Redis';
const PAIR = '502 RELAY_PAIR_REFUSED';

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'relays with different secrets': {
    heading: PAIR,
    options: () => ({ outbound: { CLIENT_ID_SECRET: 'another secret, of 32 characters or more' } }),
    status: 502,
    outbound: ['pairing failed', 'pairing was refused with status 566'],
    inbound: ['RELAY_SENDER_INVALID', 'the sender signs with a secret that is not known here'],
  },
  'a pairing request for another audience': {
    heading: PAIR,
    options: () => ({ inbound: { RELAY_AUDIENCE: 'https://relay.example.com' } }),
    status: 502,
    inbound: ['RELAY_AUDIENCE_REFUSED', 'RELAY_AUDIENCE does not list'],
  },
  'two relays of the same name': {
    heading: PAIR,
    options: () => ({ outbound: { CLIENT_ID: 'relay' }, inbound: { CLIENT_ID: 'relay' } }),
    status: 502,
    inbound: ['RELAY_SENDER_SELF', 'the sender of the request is this relay itself'],
  },
  'a certificate of an unknown authority': {
    heading: '502 RELAY_PEER_UNREACHABLE',
    options: () => ({ inbound: tlsOf('unknown', 'IP:127.0.0.1') }),
    status: 502,
    outbound: ['UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  },
  'a Redis that is not running': {
    heading: STORE,
    options: () => ({ inbound: { REDIS_URL: 'redis://127.0.0.1:9' } }),
    status: 503,
    outbound: ['RELAY_PEER_STORE_UNAVAILABLE'],
    inbound: ['the session store is unavailable', 'ECONNREFUSED'],
  },
  'a Redis host name that does not resolve': {
    heading: STORE,
    options: () => ({ inbound: { REDIS_URL: `redis://${NO_NAME}` } }),
    status: 503,
    inbound: ['the session store is unavailable', 'ENOTFOUND'],
  },
  'an upstream that is not running': {
    heading: '502 RELAY_UPSTREAM',
    options: () => ({ inbound: { UPSTREAM: NOWHERE } }),
    status: 502,
    inbound: ['request completed', 'RELAY_UPSTREAM_UNREACHABLE', 'ECONNREFUSED'],
  },
  'an MTE message that is too large': {
    heading: '431, 400 and 413',
    options: () => ({}),
    spec: {
      method: 'POST',
      body: Buffer.alloc(11 * MIB),
      headers: { 'x-mte-encode-type': 'MTE' },
    },
    status: 413,
    inbound: ['RELAY_BODY_TOO_LARGE'],
  },
  'a path that is not listed': {
    heading: '404 and 400',
    options: () => ({ inbound: { MTE_ROUTES: '/api/*' } }),
    spec: { path: '/other' },
    status: 404,
    inbound: ['RELAY_ROUTE_UNKNOWN'],
  },
  'a path with dot segments': {
    heading: '404 and 400',
    options: () => ({ inbound: { MTE_ROUTES: '/api/*' } }),
    spec: { path: '/api/../other' },
    status: 400,
    inbound: ['RELAY_PATH_REFUSED'],
  },
};

describe('docs/troubleshooting.md quotes what a pair of relays logs', () => {
  const troubles = Object.entries(TROUBLES).filter(
    ([, { spec }]) => !IS_OVER_CHANNELS || spec?.headers?.['x-mte-encode-type'] !== 'MTE',
  );
  it.each(troubles)('for %s', async (_what, trouble) => {
    const { heading, options, spec, status, outbound = [], inbound = [] } = trouble;
    const tunnel = forThisTest(await startTunnel(options()));

    expect(await tunnel.send(spec)).toMatchObject({ status });

    await expectQuoted(tunnel.outbound, heading, outbound);
    await expectQuoted(tunnel.inbound, heading, inbound);
  });

  it.each([
    ['outbound', 'RELAY_BUSY', 'the relay is already forwarding'],
    ['inbound', 'RELAY_OVERLOADED', 'as many requests as MAX_CONCURRENT_REQUESTS are under way'],
  ] as const)('for more requests than the %s relay may forward', async (role, code, quote) => {
    const tunnel = forThisTest(await startTunnel({ [role]: { MAX_CONCURRENT_REQUESTS: '1' } }));
    const responses = new Recorder<ServerResponse>();
    tunnel.upstream.handle((_request, response) => {
      responses.add(response);
    });
    const first = tunnel.send();
    const response = await responses.find();

    expect(await tunnel.send()).toMatchObject({ status: 503 });

    response.end();
    expect(await first).toMatchObject({ status: 200 });
    await expectQuoted(tunnel[role], STORE, [code, quote]);
  });

  it('for a Redis that requires another password', async () => {
    const redis = await startRedisServer();
    forThisTest({ close: () => redis.stop() });
    const url = new URL(redis.url);
    const administrator = new Redis(redis.url);
    await administrator.config('SET', 'requirepass', 'right');
    administrator.disconnect();
    for (const [REDIS_URL, quote] of [
      [`redis://:wrong@${url.host}`, 'WRONGPASS'],
      [`redis://${url.host}`, 'NOAUTH'],
    ] as const) {
      const relay = forThisTest(await startRelay({ REDIS_URL }));
      await expectQuoted(relay, STORE, ['the session store is unavailable', quote]);
    }
  });

  it('for clocks that differ, which pairing corrects', async () => {
    const inbound = forThisTest(
      await startRelay({ UPSTREAM: plain.upstream.url }, (builder) =>
        builder.overrideProvider(Clock).useValue({
          nowMs: () => Date.now() + 600_000,
          monotonicMs: () => performance.now(),
        }),
      ),
    );
    const headers = { 'x-mte-upstream': inbound.url };

    expect(await plain.send({ headers })).toMatchObject({ status: 200 });

    await expectQuoted(inbound, PAIR, [
      'RELAY_CLOCK_SKEW',
      "the sender's clock is more than 120000 ms off",
    ]);
  });

  it.each([
    ['https', {}, 'wrong version number', 'RELAY_REQUEST_INVALID', 'request refused'],
    ['http', { isTls: true }, 'socket hang up', 'ERR_SSL_HTTP_REQUEST', 'connection lost'],
  ] as [string, { isTls?: boolean }, string, string, string][])(
    'for %s to a port that expects the other scheme',
    async (scheme, { isTls = false }, atA, atB, message) => {
      const environment = isTls ? tlsOf('scheme', 'IP:127.0.0.1') : {};
      const inbound = forThisTest(await startRelay(environment));
      const headers = { 'x-mte-upstream': `${scheme}://127.0.0.1:${inbound.port}` };

      expect(await plain.send({ headers })).toMatchObject({ status: 502 });

      await expectQuoted(plain.outbound, '502 RELAY_PEER_UNREACHABLE', [atA]);
      expect(section('502 RELAY_PEER_UNREACHABLE')).toContain(atB);
      await inbound.log.find((line) => line.msg === message && JSON.stringify(line).includes(atB));
    },
  );

  it('for a relay that has lost its sessions', async () => {
    const first = await startRelay({ UPSTREAM: plain.upstream.url });
    const headers = { 'x-mte-upstream': first.url };
    await plain.send({ headers });
    await first.close();
    const again = { UPSTREAM: plain.upstream.url, PORT: String(first.port) };
    const inbound = forThisTest(await startRelay(again));

    expect(await plain.send({ headers })).toMatchObject({ status: 200 });

    const heading = 'Repeated pairing';
    await expectQuoted(plain.outbound, heading, ['paired', 'dropped']);
    await expectQuoted(inbound, heading, ['RELAY_SESSION_UNKNOWN']);
  });
});

import { Deferred } from '@relay/http';
import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../support/certificates/certificates.js';
import { errorOf, request, type ClientRequestSpec } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  EGRESS_ACCOUNT,
  EGRESS_PROXIES,
  hasEgressProxy,
  startEgressProxy,
} from '../support/network/egress-proxies.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const BODY = 'x'.repeat(300_000);
const TRANSPORTS = ['message', 'channel'] as const;
/** A relay probes a peer that it cannot reach once a second. */
const BACK = { timeout: 60_000, interval: 250 };

const shared = sharedResources();
let authority: Authority;
let upstream: Upstream;
/** Relay B, with TLS and without. */
let peers: Record<'https' | 'http', RelayProcess>;

beforeAll(async () => {
  authority = shared(makeAuthority());
  upstream = shared(await startUpstream());
  const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
  const environment = { TUNNEL_TRANSPORT: 'auto', UPSTREAM: upstream.url };
  peers = {
    http: shared(await startRelayProcess(environment)),
    https: shared(
      await startRelayProcess({ ...environment, TLS_CERT_FILE: cert, TLS_KEY_FILE: key }),
    ),
  };
});

/** Relay A. */
const startSender = async (proxyUrl: string, transport: string): Promise<RelayProcess> =>
  forThisTest(
    await startRelayProcess({
      NODE_EXTRA_CA_CERTS: authority.ca,
      TUNNEL_TRANSPORT: transport,
      PEER_PROXY_URL: proxyUrl,
    }),
  );

const send = (sender: RelayProcess, peer: RelayProcess, spec: ClientRequestSpec = {}) =>
  request(sender.url, {
    method: 'POST',
    body: BODY,
    ...spec,
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': peer.url },
  });

const withAccount = (url: string, { user, password } = EGRESS_ACCOUNT): string =>
  url.replace('//', `//${user}:${password}@`);

describe.each(EGRESS_PROXIES)('%s on the way to a peer', (name) => {
  const isThere = hasEgressProxy(name);

  describe.each(TRANSPORTS)('(%s)', (transport) => {
    it.skipIf(!isThere)('carries requests to peers with TLS and without', async () => {
      const proxy = forThisTest(await startEgressProxy(name));
      const sender = await startSender(proxy.url, transport);

      for (const peer of [peers.https, peers.http]) {
        const responses = await Promise.all(Array.from({ length: 20 }, () => send(sender, peer)));
        expect(responses.map(({ status, body }) => `${status} ${body.length}`)).toEqual(
          Array(20).fill(`200 ${BODY.length}`),
        );
      }
      await proxy.kill();
      const response = await send(sender, peers.http, { method: 'GET', body: '' });
      expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    });

    it.skipIf(!isThere)(
      'that is killed in mid-request ends it as a lost connection does',
      async () => {
        const proxy = forThisTest(await startEgressProxy(name));
        const sender = await startSender(proxy.url, transport);
        expect(await send(sender, peers.https)).toMatchObject({ status: 200 });
        const arrived = new Deferred<undefined>();
        upstream.forget();
        upstream.handle(async (received) => {
          await received.body();
          arrived.resolve(undefined);
        });

        const response = send(sender, peers.https);
        await arrived.promise;
        await proxy.kill();

        const { status } = await response;
        expect([502, 504]).toContain(status);
        expect(errorOf(await response)).toMatchObject({ forwarded: 'maybe' });
        expect(upstream.hits).toBe(1);

        upstream.handle(async (received, to) => {
          to.end(await received.body());
        });
        await proxy.restart();
        await expect.poll(async () => (await send(sender, peers.https)).status, BACK).toBe(200);
      },
    );
  });

  it.skipIf(!isThere)(
    'that requires an account gets that of its URL, which no log shows',
    async () => {
      const proxy = forThisTest(await startEgressProxy(name, true));
      for (const transport of TRANSPORTS) {
        const sender = await startSender(withAccount(proxy.url), transport);

        expect(await send(sender, peers.https)).toMatchObject({ status: 200 });
        expect(JSON.stringify(sender.log.items)).not.toContain('canary');
      }
    },
  );

  it.skipIf(!isThere).each([
    ['no account', (url: string) => url],
    [
      'another account',
      (url: string) => withAccount(url, { user: 'relay-a', password: 'canary-of-nobody' }),
    ],
  ])('that requires an account refuses %s', async (_what, urlOf) => {
    const proxy = forThisTest(await startEgressProxy(name, true));
    const sender = await startSender(urlOf(proxy.url), 'auto');
    upstream.forget();

    const response = await send(sender, peers.https);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_PEER_PROXY_AUTH_FAILED',
      forwarded: 'no',
    });
    const line = await sender.log.find(({ msg }) => msg === 'pairing failed');
    expect(JSON.stringify(line)).toMatch(
      new RegExp(`proxy 127.0.0.1:${proxy.port}: status 40[17]`),
    );
    expect(JSON.stringify(sender.log.items)).not.toContain('canary');
    expect(upstream.hits).toBe(0);
  });

  it.skipIf(!isThere)('does not make a relay trust a certificate of another name', async () => {
    const proxy = forThisTest(await startEgressProxy(name));
    const { cert, key } = authority.issue('other', 'DNS:localhost');
    const files = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
    const other = forThisTest(await startRelayProcess({ UPSTREAM: upstream.url, ...files }));
    const sender = await startSender(proxy.url, 'auto');

    const response = await send(sender, other);

    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    const line = await sender.log.find(({ msg }) => msg === 'pairing failed');
    expect(JSON.stringify(line)).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it.skipIf(!isThere)('that does not reach the peer is an error of its own', async () => {
    const proxy = forThisTest(await startEgressProxy(name));
    const sender = await startSender(proxy.url, 'auto');
    const gone = forThisTest(await startRelayProcess());
    await gone.close();

    const response = await send(sender, gone);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_PEER_PROXY_REFUSED',
      forwarded: 'no',
    });
  });
});

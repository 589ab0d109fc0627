import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { request } from '../support/clients/client.js';
import { curl, hasNtlmCurl } from '../support/clients/curl.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { tunnelClient, type TunnelClient } from '../support/tunnels/tunnel-client.js';
import { NTLM_USER, startNtlmUpstream } from '../support/upstreams/ntlm-upstream.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import type { Upstream } from '../support/upstreams/upstream.js';

const UNSUPPORTED = 'RELAY_CONNECTION_AUTH_UNSUPPORTED';
const TYPE_1 = 'TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA=';

if (!hasNtlmCurl) {
  console.warn('curl is not installed with NTLM: the tests with a real NTLM client are skipped.');
}

const shared = sharedResources();

const refusal = (forwarded: 'no' | 'maybe') => ({
  error: { code: UNSUPPORTED, forwarded },
});

const json = (body: Buffer | string): unknown => JSON.parse(body.toString());

const withNtlm = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  curl([
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...['--ntlm', '--user', `${NTLM_USER}:secret`, '--write-out', '\n%{http_code}', url],
  ]);

describe.skipIf(!hasNtlmCurl)(
  '#51 in front of a server that authenticates connections with NTLM',
  () => {
    let upstream: Upstream;
    let inbound: TestRelay;
    let outbound: TestRelay;
    let client: TunnelClient;

    beforeAll(async () => {
      upstream = shared(await startNtlmUpstream());
      inbound = shared(
        await startRelay({ UPSTREAM: upstream.url, PASS_THROUGH_ROUTES: '/public/*' }),
      );
      outbound = shared(await startRelay());
      client = tunnelClient(outbound.url, inbound.url);
    });

    beforeEach(() => {
      upstream.forget();
    });

    it('curl --ntlm is authenticated without a relay: the server is a real one', async () => {
      const { stdout } = await withNtlm(upstream.url);

      expect(stdout.toString()).toBe(`user ${NTLM_USER}\n200`);
    });

    it('curl --ntlm through the tunnel is refused before anything is sent', async () => {
      const { stdout } = await withNtlm(outbound.url, client.clientHeaders);

      const [body, status] = stdout.toString().split('\n');
      expect(status).toBe('501');
      expect(json(body!)).toMatchObject(refusal('no'));
      expect(upstream.hits).toBe(0);
    });

    it('a client without credentials does not get the identity of the one before, through the tunnel', async () => {
      await withNtlm(outbound.url, client.clientHeaders);

      const response = await client.send();

      expect(response.body.toString()).not.toContain(NTLM_USER);
      expect(response.status).toBe(501);
      expect(json(response.body)).toMatchObject(refusal('maybe'));
    });

    it('a client without credentials does not get the identity of the one before, on pass-through routes', async () => {
      const { stdout } = await withNtlm(`${inbound.url}/public/a`);
      expect(stdout.toString()).toContain('501');
      expect(upstream.hits).toBe(0);

      const response = await request(inbound.url, { path: '/public/a' });

      expect(response.body.toString()).not.toContain(NTLM_USER);
      expect(response.status).toBe(501);
      expect(json(response.body)).toMatchObject(refusal('maybe'));
    });

    it('the identity that a peer without this rule sends is refused by the relay in front of the server', async () => {
      const peer = await ProtocolClient.pair(inbound.url);
      const message = peer.seal({ head: { fields: ['authorization', `NTLM ${TYPE_1}`] } });

      const { head, body } = peer.open(message, await peer.deliver(message));

      expect(head.status).toBe(501);
      expect(json(body)).toMatchObject(refusal('no'));
      expect(upstream.hits).toBe(0);
    });

    it('the log says what to change', async () => {
      await client.send();

      const line = await inbound.log.find(
        ({ code, role }) => code === UNSUPPORTED && role === 'inbound',
      );
      expect(JSON.stringify(line)).toMatch(/NTLM.*Basic or Bearer/);
    });
  },
);

describe('#51 a request whose credentials authenticate a connection', () => {
  let tunnel: Tunnel;
  let passThrough: TestRelay;

  beforeAll(async () => {
    tunnel = shared(await startTunnel());
    passThrough = shared(
      await startRelay({ UPSTREAM: tunnel.upstream.url, PASS_THROUGH_ROUTES: '/*' }),
    );
  });

  const schemes = ['NTLM', 'ntlm', 'Negotiate', 'nEGOTIATE', 'Kerberos', 'Basic YTpi, Negotiate'];

  it.each(schemes)('is refused at relay A before it pairs: %s', async (scheme) => {
    const response = await tunnel.send({ headers: { authorization: `${scheme} YWJj` } });

    expect(response.status).toBe(501);
    expect(json(response.body)).toMatchObject(refusal('no'));
    expect(tunnel.inbound.log.items.filter(({ role }) => role === 'pairing')).toEqual([]);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it.each(schemes)('is refused on pass-through routes: %s', async (scheme) => {
    const headers = { authorization: `${scheme} YWJj` };

    const response = await request(passThrough.url, { path: '/', headers });

    expect(response.status).toBe(501);
    expect(json(response.body)).toMatchObject(refusal('no'));
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe.skipIf(!hasNtlmCurl)('#51 a server that offers other schemes as well', () => {
  it('is reached with those: the schemes of a connection are not offered to the client', async () => {
    const tunnel = forThisTest(
      await startTunnel({
        handler: ({ headers }, response) => {
          if (headers.authorization === undefined) {
            response.writeHead(401, {
              'www-authenticate': ['Negotiate', 'NTLM', 'Basic realm="a, b"'],
            });
          }
          response.end(headers.authorization);
        },
        inbound: { PASS_THROUGH_ROUTES: '/*' },
      }),
    );
    for (const response of [await tunnel.send(), await request(tunnel.inbound.url)]) {
      expect(response.status).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Basic realm="a, b"');
    }

    const { stdout } = await curl([
      ...Object.entries(tunnel.clientHeaders).flatMap(([name, value]) => [
        ...['--header', `${name}: ${value}`],
      ]),
      ...['--anyauth', '--user', 'alice:secret', tunnel.outbound.url],
    ]);

    expect(stdout.toString()).toMatch(/^Basic /);
  });
});

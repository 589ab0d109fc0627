import { createServer } from 'node:net';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fieldValues, request, type ClientRequestSpec } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { closedPort } from '../support/network/listen.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody, startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const A = {
  HEADERS: '{"x-zone":"zone-a"}',
  REQUEST_HEADERS: '{"x-api-key":"key-of-a","x-tenant":"a"}',
  RESPONSE_HEADERS: '{"set-cookie":"cookie-of-a","x-served-by":"a"}',
};
const B = {
  HEADERS: '{"x-region":"region-b"}',
  REQUEST_HEADERS: '{"authorization":"Bearer of-b","x-api-key":"key-of-b"}',
  RESPONSE_HEADERS: '{"x-auth-token":"token-of-b"}',
};
const PASS_THROUGH = { PASS_THROUGH_ROUTES: '/open/*' };
/** A part of every value that is configured. */
const CONFIGURED = /zone-a|region-b|-of-a|-of-b|Bearer of/;

const shared = sharedResources();
/** A relay A whose clients call relay B. Both have fields of all three kinds. */
let tunnel: Tunnel;
/** The API behind relay A, which only its pass-through routes reach here. */
let apiOfA: Upstream;

beforeAll(async () => {
  apiOfA = shared(await startUpstream());
  tunnel = shared(
    await startTunnel({
      both: PASS_THROUGH,
      outbound: { ...A, UPSTREAM: apiOfA.url },
      inbound: B,
    }),
  );
});

beforeEach(() => {
  for (const api of [tunnel.upstream, apiOfA]) {
    api.forget();
    api.handle(echoBody);
  }
});

const receivedBy = (api: Upstream): readonly string[] => api.requests.items[0]!.rawHeaders;

/** What the API behind relay B receives of a request through the tunnel. */
const throughTunnel = async (headers: ClientRequestSpec['headers'] = {}) => {
  await tunnel.send({ headers });
  return receivedBy(tunnel.upstream);
};

/** What the API behind a relay receives of a request without a token. */
const passedThrough = async (relay: TestRelay, headers: ClientRequestSpec['headers'] = {}) => {
  await request(relay.url, { path: '/open/a', headers });
  return receivedBy(relay === tunnel.inbound ? tunnel.upstream : apiOfA);
};

describe('a field that an API may read as one that a relay sets (#47)', () => {
  it.each(['x_api_key', 'X-Api_Key', 'X_API-KEY', 'x.api.key', 'x~api!key'])(
    'does not reach the API of a relay whose REQUEST_HEADERS has x-api-key: %s',
    async (name) => {
      const received = await throughTunnel({ [name]: 'forged', 'x-other': 'kept' });

      expect(received.join('\n')).not.toContain('forged');
      expect(fieldValues(received, 'x-api-key')).toEqual(['key-of-b']);
      expect(fieldValues(received, 'x-other')).toEqual(['kept']);
    },
  );

  it.each(['x_zone', 'X.Zone'])(
    'is not sealed by a relay whose HEADERS has x-zone: %s',
    async (name) => {
      const received = await throughTunnel({ [name]: 'forged' });

      expect(received.join('\n')).not.toContain('forged');
      expect(fieldValues(received, 'x-zone')).toEqual(['zone-a']);
    },
  );

  it('does not reach the API from a client of a peer, whose HEADERS has no such name', async () => {
    const received = await throughTunnel({ x_region: 'forged' });

    expect(received.join('\n')).not.toContain('forged');
    expect(fieldValues(received, 'x-region')).toEqual(['region-b']);
  });

  it.each(['x_region', 'x_api_key', 'x-api-key', 'Authorization'])(
    'does not reach the API on a pass-through route: %s',
    async (name) => {
      const received = await passedThrough(tunnel.inbound, { [name]: 'forged' });

      expect(received.join('\n')).not.toContain('forged');
    },
  );

  it.each(['xapikey', 'x-api-keys', 'x--api-key', 'my-x-api-key'])(
    'is not mistaken for another, whose name has other letters or a different length: %s',
    async (name) => {
      expect(fieldValues(await throughTunnel({ [name]: 'kept' }), name)).toEqual(['kept']);
    },
  );
});

describe('a credential in REQUEST_HEADERS (#48)', () => {
  it('reaches the API of its own relay, with the requests of peers', async () => {
    const received = await throughTunnel({ authorization: 'Basic client' });

    expect(fieldValues(received, 'authorization')).toEqual(['Bearer of-b']);
    expect(fieldValues(received, 'x-api-key')).toEqual(['key-of-b']);
  });

  it("does not reach the API of another relay, which this relay's client named", async () => {
    const received = await throughTunnel({ 'x-tenant': 'of-the-client' });

    expect(received.join('\n')).not.toContain('key-of-a');
    expect(fieldValues(received, 'x-tenant')).toEqual(['of-the-client']);
  });

  it.each(['inbound', 'outbound'] as const)(
    'is not lent to a client without a token, on a pass-through route: %s relay',
    async (role) => {
      const received = await passedThrough(tunnel[role]);

      expect(received.join('\n')).not.toMatch(/key-of|Bearer of/);
    },
  );

  it('is on no response', async () => {
    const throughBoth = await tunnel.send();
    const open = await request(tunnel.inbound.url, { path: '/open/a' });

    expect([...throughBoth.rawHeaders, ...open.rawHeaders].join('\n')).not.toMatch(
      /key-of|Bearer of/,
    );
  });
});

describe('a response to somebody who has proved nothing (#48)', () => {
  it.each<[string, 401 | 566 | 569, ClientRequestSpec]>([
    ['a missing token', 401, {}],
    ['a wrong token', 401, { headers: { 'x-mte-outbound-token': `${TOKEN}x` } }],
    ['an empty token', 401, { headers: { 'x-mte-outbound-token': '' } }],
    ['two tokens', 401, { headers: { 'x-mte-outbound-token': [TOKEN, TOKEN] } }],
    ['no signature', 569, { method: 'POST', headers: { 'x-mte-relay': '1' } }],
    ['an invalid signature', 566, relayHeaders('/')],
    ['an invalid signature of a pairing', 566, relayHeaders('/api/mte-pair')],
  ])('has no configured field: %s', async (_what, status, spec) => {
    for (const relay of [tunnel.outbound, tunnel.inbound]) {
      const response = await request(relay.url, spec);

      expect(response.status).toBe(status);
      expect(response.rawHeaders.join('\n')).not.toMatch(CONFIGURED);
    }
  });

  it.each([
    ['no request at all', 'nonsense\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n'],
  ])('has no configured field if it is refused early: %s', async (_what, bytes) => {
    const received = (await exchangeRaw(tunnel.outbound.port, bytes)).toString('latin1');

    expect(received).toMatch(/^HTTP\/1\.1 (?:400|405) /);
    expect(received).not.toMatch(CONFIGURED);
  });

  it.each(['/api/mte-echo', '/api/mte-relay', '/health/live'])(
    'has no configured field if it is for everybody: %s',
    async (path) => {
      const { status, rawHeaders } = await request(tunnel.outbound.url, { path });

      expect(status).toBeLessThan(300);
      expect(rawHeaders.join('\n')).not.toMatch(CONFIGURED);
    },
  );

  it('has HEADERS but not RESPONSE_HEADERS on a pass-through route', async () => {
    apiOfA.handle((_request, response) => {
      response.writeHead(200, { 'set-cookie': 'of-the-api' }).end();
    });

    const { rawHeaders } = await request(tunnel.outbound.url, { path: '/open/a' });

    expect(fieldValues(rawHeaders, 'x-zone')).toEqual(['zone-a']);
    expect(fieldValues(rawHeaders, 'set-cookie')).toEqual(['of-the-api']);
    expect(fieldValues(rawHeaders, 'x-served-by')).toEqual([]);
  });

  it('has no configured field if the relay itself refuses on a pass-through route', async () => {
    const nobody = await closedPort(createServer());
    const relay = forThisTest(
      await startRelay({ ...A, ...PASS_THROUGH, UPSTREAM: `http://127.0.0.1:${nobody}` }),
    );

    const { status, rawHeaders } = await request(relay.url, { path: '/open/a' });

    expect(status).toBe(502);
    expect(rawHeaders.join('\n')).not.toMatch(CONFIGURED);
  });
});

/** A message of somebody who does not hold the secret. */
function relayHeaders(path: string): ClientRequestSpec {
  const headers = { 'x-mte-relay': '1', 'x-mte-client-id': 'a.b.c' };
  return { method: 'POST', path, headers };
}

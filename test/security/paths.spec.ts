import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fieldValues } from '../support/clients/client.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;
let based: Tunnel;
let basedOnly: Tunnel;
let passing: TestRelay;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  based = shared(
    await startTunnel({
      inbound: { UPSTREAM: `${tunnel.upstream.url}/base`, MTE_ROUTES: '/open/*' },
    }),
  );
  basedOnly = shared(await startTunnel({ inbound: { UPSTREAM: `${tunnel.upstream.url}/base` } }));
  passing = shared(
    await startRelay({ UPSTREAM: tunnel.upstream.url, PASS_THROUGH_ROUTES: '/open/*' }),
  );
});

beforeEach(() => {
  tunnel.upstream.forget();
});

/** Sends a request target verbatim and returns the status. */
const sendTarget = async (through: Tunnel, target: string): Promise<number> => {
  const fields = Object.entries(through.clientHeaders).map(([name, value]) => `${name}: ${value}`);
  const response = await exchangeRaw(
    through.outbound.port,
    `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${fields.join('\r\n')}\r\n\r\n`,
  );
  return Number(/^HTTP\/1.1 (\d+) /.exec(response.toString('latin1'))?.[1]);
};

describe('#26 a request target', () => {
  it.each([
    ['http://evil.example/x', '/x'],
    ['http://evil.example', '/'],
    ['http://evil.example?x', '/?x'],
    ['HTTPS://evil.example:1/x?y=http://z', '/x?y=http://z'],
    ['/@evil.example', '/@evil.example'],
    ['/x?u=//evil', '/x?u=//evil'],
    ['/%2e%2e/%2fevil', '/%2e%2e/%2fevil'],
    ['/a/../b', '/a/../b'],
    ['/:80/', '/:80/'],
  ])('%s reaches the configured upstream, and no other, as %s', async (target, path) => {
    expect(await sendTarget(tunnel, target)).toBe(200);

    const [request] = tunnel.upstream.requests.items;
    expect(request?.url).toBe(path);
    expect(fieldValues(request?.rawHeaders ?? [], 'host')).toEqual([
      new URL(tunnel.upstream.url).host,
    ]);
  });

  it.each([
    '//evil.example',
    '//evil.example/x',
    '///',
    'http://evil.example//x',
    'http://user@evil.example/x',
    'http:///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/a\\..\\b',
    '/x#fragment',
    '@evil.example',
    'evil.example',
    '*',
    'ftp://evil.example/',
    '/caf\xe9',
  ])('%s is refused with 400', async (target) => {
    expect(await sendTarget(tunnel, target)).toBe(400);

    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#26 a request target, with a base path and a list of routes', () => {
  it('reaches the upstream below its base path if it matches a route', async () => {
    expect(await sendTarget(based, '/open/x?y=/../z')).toBe(200);

    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/base/open/x?y=/../z']);
  });

  it('is judged without its query, where a backslash is an octet like any other', async () => {
    expect(await sendTarget(based, '/open/x?y=\\..\\..\\admin')).toBe(200);

    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual([
      '/base/open/x?y=\\..\\..\\admin',
    ]);
  });

  it.each([
    '/..',
    '/../admin',
    '/open/../admin',
    '/open/..',
    '/open/./x',
    '/open/%2e%2e/admin',
    '/open/%2E./admin',
    '/open/.%2e/admin',
    '/open/..%2fadmin',
    '/open/..%5cadmin',
    '/open/%2e%2e%2Fadmin',
    '/open/..;/admin',
    '/open/..;x=1/admin',
    '/open%2f..%2f..%2fadmin',
    '/closed',
    '/openx',
    '/OPEN/x',
    '/',
    'http://evil.example/closed',
  ])('%s is refused with 400 or 404 without a call to the upstream', async (target) => {
    expect([400, 404]).toContain(await sendTarget(based, target));

    expect(tunnel.upstream.hits).toBe(0);
  });

  it('is subject to the same rules if a peer has sealed it by hand', async () => {
    const client = await ProtocolClient.pair(based.inbound.url);
    const statuses: number[] = [];
    for (const path of ['/open/../admin', '/open/%2e%2e/admin', '/closed']) {
      const message = client.seal({ head: { path } });
      statuses.push(client.open(message, await client.deliver(message)).head.status);
    }

    expect(statuses.every((status) => status === 400 || status === 404)).toBe(true);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

/** Each is `/admin` for some server: it decodes again, takes something off, or converts characters. */
const LAX_READINGS = [
  '/open/..%3b/admin',
  '/open/..;/admin',
  '/open/%252e%252e/admin',
  '/open/..%252fadmin',
  '/open/%u002e%u002e/admin',
  '/open/.%0a./admin',
  '/open/..%0d%0a/admin',
  '/open/..%00/admin',
  '/open/..%20/admin',
  '/open/.../admin',
  '/open/....//admin',
  '/open/%c0%ae%c0%ae/admin',
  '/open/..%c0%afadmin',
  '/open/%ef%bc%8e%ef%bc%8e/admin',
  '/open/..%ef%bc%8fadmin',
  '/open/.%e2%80%8b./admin',
];

describe('#26 a path that only a lax API reads as one outside', () => {
  it.each(LAX_READINGS)('%s is refused with 400 if MTE_ROUTES limits the paths', async (target) => {
    expect(await sendTarget(based, target)).toBe(400);

    expect(tunnel.upstream.hits).toBe(0);
  });

  it.each(LAX_READINGS)(
    '%s is refused with 400 if only a base path limits them',
    async (target) => {
      expect(await sendTarget(basedOnly, target)).toBe(400);

      expect(tunnel.upstream.hits).toBe(0);
    },
  );

  it.each(LAX_READINGS)('%s is not a pass-through route: 401', async (target) => {
    const response = await exchangeRaw(
      passing.port,
      `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    );

    expect(response.toString('latin1')).toMatch(/^HTTP\/1.1 401 .*RELAY_TOKEN_MISSING/s);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('is refused if a peer has sealed it by hand', async () => {
    const client = await ProtocolClient.pair(basedOnly.inbound.url);
    const statuses: number[] = [];
    for (const path of LAX_READINGS) {
      const message = client.seal({ head: { path } });
      statuses.push(client.open(message, await client.deliver(message)).head.status);
    }

    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#26 a hand-sealed path', () => {
  it.each([
    '//evil.example',
    '/\\evil',
    'http://evil.example/',
    '@evil.example',
    '',
    '*',
    '/x#y',
    '/x y',
    '/x\r\nhost: evil',
    '/caf\xe9',
  ])('%j is refused without a call to the upstream', async (path) => {
    const client = await ProtocolClient.pair(tunnel.inbound.url);
    const message = client.seal({ head: { path } });

    const response = await client.deliver(message);

    expect(client.signedErrorOf(message, response)).toMatchObject({
      status: 562,
      isNeverForwarded: true,
    });
    expect(tunnel.upstream.hits).toBe(0);
  });
});

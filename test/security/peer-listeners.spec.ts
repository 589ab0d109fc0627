import { once } from 'node:events';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { errorOf } from '../support/clients/client.js';
import { openPair } from '../support/clients/web-socket-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { clientWith } from '../support/relays/mounted-directory.js';
import { startRelay } from '../support/relays/relay.js';
import { tokenOf } from '../support/tunnels/directory-tunnel.js';
import {
  CLIENT,
  freeAddress,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../support/tunnels/plain-client-tunnel.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';
import { echo, startWebSocketServer } from '../support/upstreams/web-socket-server.js';

const shared = sharedResources();
let api: Upstream;
let tunnel: PlainClientTunnel;

beforeAll(async () => {
  api = shared(await startUpstream());
  tunnel = shared(await startPlainClientTunnel({ upstream: api.url, start: startRelay }));
});

beforeEach(() => {
  api.forget();
});

/** Sends a GET, byte by byte. @returns the status of the response, and the code of its error if it is one */
async function askedAt(port: string, target: string, lines: readonly string[]): Promise<string> {
  const head = [`GET ${target} HTTP/1.1`, ...lines, 'connection: close', '', ''];
  const received = await exchangeRaw(Number(port), head.join('\r\n'));
  const [, status = '', code = ''] =
    /^HTTP\/1\.1 (\d+)(?:[^]*"code":"([A-Z_]+)")?/.exec(received.toString('latin1')) ?? [];
  return `${status} ${code}`.trim();
}

const asked = (target: string, ...lines: readonly string[]): Promise<string> =>
  askedAt(new URL(tunnel.listener).port, target, lines);

describe('#109 a browser that a DNS server leads to a listener of loopback', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    'EVIL.example.',
    // Names that some browsers take, and the parser of URLs does not.
    'xn--a.evil.example',
    'a..evil.example',
    '.localhost.evil.example',
    'evil.example.127.0.0.1.1',
    'localhost.evil',
    '127.0.0.1.evil.example',
    '0.0.0.0',
    '[::]',
    '[::ffff:127.0.0.1]',
    '128.0.0.1',
    '10.0.0.1',
    `${HOST}.evil.example`,
    'below.example',
  ])('gets 403 under the name %s, and the API nothing', async (host) => {
    expect(await asked('/', `host: ${host}`)).toBe('403 RELAY_HOST_UNKNOWN');
    expect(await asked(`http://${host}/`, 'host: localhost')).toBe('403 RELAY_HOST_UNKNOWN');
    expect(api.hits).toBe(0);
  });

  it.each([
    ['two host fields', '/', ['host: localhost', 'host: evil.example']],
    ['a host field with a user', '/', ['host: evil.example@localhost']],
    ['a list of hosts', '/', ['host: localhost, evil.example']],
    ['a percent-encoded host', '/', ['host: localhost%2eevil.example']],
    ['a folded host', '/', ['host: localhost', ' .evil.example']],
    ['no host', '/', []],
    ['a user in its target', 'http://localhost@evil.example/', ['host: localhost']],
    ['a backslash in its target', 'http://localhost\\@evil.example/', ['host: localhost']],
    ['no host in its target', 'http:///', ['host: localhost']],
    ['another scheme in its target', 'ftp://localhost/', ['host: localhost']],
  ])('gets 400 for a request with %s', async (_what, target, lines) => {
    expect(await asked(target, ...lines)).toMatch(/^400 RELAY_(?:HEAD|REQUEST)_INVALID$/);
    expect(api.hits).toBe(0);
  });

  it.each(['127.1', '0x7f.1', '2130706433', 'LOCALHOST.', '[0:0::1]:9'])(
    'has no other way in by a spelling of the address itself: %s is taken',
    async (host) => {
      expect(await asked('/', `host: ${host}`)).toBe('200');
    },
  );
});

describe('#109 a listener that is not at loopback', () => {
  it('takes every host, and no request in absolute form that may be meant for another server', async () => {
    const port = (await freeAddress()).replace(/^.*:/, '');
    const listen = { address: `0.0.0.0:${port}`, client: CLIENT, exposed: true };
    forThisTest(
      await startPlainClientTunnel({ upstream: api.url, peer: { listen }, start: startRelay }),
    );
    const get = (target: string, host: string): Promise<string> => askedAt(port, target, [host]);
    expect(await get('/', 'host: any.example')).toBe('200');
    expect(await get(`http://${HOST}/`, 'host: any.example')).toBe('200');
    expect(await get('http://any.example/', `host: ${HOST}`)).toBe('403 RELAY_HOST_UNKNOWN');
    expect(api.hits).toBe(2);
  });
});

describe('#109 a page of another site, in a browser beside a listener of loopback,', () => {
  it.each<[string, string, Record<string, string>]>([
    ['a form', 'POST', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a form of an old browser', 'POST', { origin: 'https://evil.example' }],
    ['a form of a page without an origin', 'POST', { origin: 'null' }],
    ['an image', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }],
    ['a link', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    ['a request with CORS', 'GET', { origin: 'http://evil.example:9101' }],
    [
      'a preflight',
      'OPTIONS',
      { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
    ],
    ['a request of a site below ours', 'GET', { origin: `http://evil.${HOST}` }],
    ['a site that looks like localhost', 'GET', { origin: 'http://localhost.evil.example' }],
    ['a user before a host', 'GET', { origin: 'http://localhost@evil.example' }],
    ['a path behind a host', 'GET', { origin: 'http://localhost/evil' }],
    ['an extension', 'GET', { origin: 'chrome-extension://abcdefgh' }],
    ['a value that nobody knows', 'GET', { 'sec-fetch-site': 'none, cross-site' }],
  ])('gets 403 for %s, and the API nothing', async (_what, method, headers) => {
    const response = await tunnel.listened({
      method,
      headers: { ...headers, host: 'localhost:9101' },
      ...(method === 'POST' && { body: 'amount=1' }),
    });
    expect(response.status).toBe(403);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_HOST_UNKNOWN', forwarded: 'no' });
    expect(api.hits).toBe(0);
  });

  it.each<[string, Record<string, string>]>([
    ['by a page of this machine', { origin: 'http://localhost:3000' }],
    [
      'by such a page under another name of it',
      { origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' },
    ],
    ['by a page of the API itself', { origin: `https://${HOST}` }],
    ['by the user', { 'sec-fetch-site': 'none' }],
    ['by a page beside it', { 'sec-fetch-site': 'same-site' }],
    [
      'by a page that its own proxy serves',
      { origin: 'https://shop.example', 'sec-fetch-site': 'same-origin' },
    ],
    ['by a program', {}],
    ['by a program that names its origin without a scheme', { origin: 'localhost:9101' }],
  ])('is told from what is asked for %s', async (_what, headers) => {
    expect((await tunnel.listened({ method: 'POST', headers, body: 'a' })).status).toBe(200);
  });

  it('opens no WebSocket, whose messages it could read', async () => {
    const socket = new WebSocket(tunnel.listener.replace('http', 'ws'), {
      origin: 'https://evil.example',
    });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    expect(api.hits).toBe(0);
  });
});

describe('#108 a field that an application passes on to a listener', () => {
  it('leads nowhere else, shows nothing, and has no other client', async () => {
    const { status, headers } = await tunnel.listened({
      method: 'POST',
      headers: {
        'x-mte-outbound-token': 'anything',
        'x-mte-upstream': 'http://127.0.0.1:9',
        'x-mte-relay': '1.E2uOwaOy1rJ0iSmtbBjUiw.1.0.mke.AQEBAQEBAQEBAQEBAQEBAQ',
        'x-mte-encode-type': 'none',
        'x-mte-client': 'admin',
        'x-mte-client-address': '192.0.2.1',
        'proxy-authorization': 'Basic YTpi',
        connection: 'via, host, x-mte-client',
      },
      body: 'a',
    });
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('x-mte-relay');
    const { rawHeaders } = api.requests.items[0]!;
    expect(rawHeaders.join('\n')).not.toMatch(/x-mte-|proxy-|admin|192\.0\.2\.1/i);
  });
});

describe('#111 a WebSocket through a listener', () => {
  const OTHER = 'reports';

  it.each<[string, (address: string) => object]>([
    ['is gone', () => ({})],
    ['is that of another client', (address) => ({ listen: { address, client: OTHER } })],
  ])('ends once the listener %s in the file', async (_what, keysNow) => {
    const server = forThisTest(await startWebSocketServer(echo));
    const channels = { TUNNEL_TRANSPORT: 'auto' };
    const own = forThisTest(
      await startPlainClientTunnel({
        upstream: server.url,
        outbound: channels,
        inbound: channels,
        start: startRelay,
      }),
    );
    const { client, api: accepted } = await openPair(server, {
      url: own.listener,
      webSocketUrl: own.listener.replace('http', 'ws'),
      headers: {},
    });
    const keys = keysNow(new URL(own.listener).host);
    own.file.write({
      peers: { api: { ...own.content.peers['api'], listen: undefined, ...keys } },
      clients: { ...own.content.clients, [OTHER]: clientWith(tokenOf(OTHER), 'api') },
    });
    for (const end of [client, accepted]) {
      expect((await end.closed()).at(-1)).toEqual(['close', 1006, '']);
    }
  });
});

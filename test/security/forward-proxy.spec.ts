import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw, openSocket } from '../support/network/raw-socket.js';
import { clientWith } from '../support/relays/mounted-directory.js';
import { startRelay } from '../support/relays/relay.js';
import { tokenOf } from '../support/tunnels/directory-tunnel.js';
import {
  basic,
  CLIENT,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../support/tunnels/plain-client-tunnel.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let api: Upstream;
/** A server that no relay may be led to. */
let other: Upstream;
let tunnel: PlainClientTunnel;

beforeAll(async () => {
  api = shared(await startUpstream());
  other = shared(await startUpstream());
  tunnel = shared(await startPlainClientTunnel({ upstream: api.url, start: startRelay }));
});

beforeEach(() => {
  api.forget();
  other.forget();
});

const AUTH = `proxy-authorization: ${basic(CLIENT, tokenOf(CLIENT))}`;
const CLOSE = 'connection: close';
const REFUSED = '407 RELAY_PROXY_AUTH_REQUIRED';
/** By the parser of Node.js, or by the rules for heads. */
const INVALID = /^400 RELAY_(?:HEAD|REQUEST)_INVALID$/;

const head = (startLine: string, ...lines: readonly string[]): string =>
  [startLine, ...lines, '', ''].join('\r\n');

/** Every response on a connection: its status, and the code of its error. */
function responsesIn(received: Buffer): string[] {
  return received
    .toString('latin1')
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .map((text) => /^HTTP\/1\.1 (\d+)(?:[^]*"code":"([A-Z_]+)")?/.exec(text))
    .map((match) => `${match?.[1] ?? ''} ${match?.[2] ?? ''}`.trim());
}

/** Sends octets to the forward proxy. */
async function sent(...octets: readonly string[]): Promise<string[]> {
  return responsesIn(await exchangeRaw(tunnel.outbound.port, octets.join('')));
}

const asked = (target: string, ...lines: readonly string[]): Promise<string[]> =>
  sent(head(`GET ${target} HTTP/1.1`, 'host: x', AUTH, CLOSE, ...lines));

describe('#106 a client of the forward proxy', () => {
  it('reaches no server that is no peer, by whatever name', async () => {
    const { port } = new URL(other.url);
    for (const host of [
      ...['127.0.0.1', 'localhost', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '0', '0.0.0.0'],
      ...['[::1]', '[::ffff:127.0.0.1]', '[::]', 'LOCALHOST', 'localhost.', 'a.localhost'],
    ]) {
      expect(await asked(`http://${host}:${port}/`), host).toEqual(['403 RELAY_HOST_UNKNOWN']);
    }
    expect([api.hits, other.hits]).toEqual([0, 0]);
  });

  it('reaches neither relay itself as if it were an API', async () => {
    for (const { url } of [tunnel.outbound, tunnel.inbound, { url: tunnel.listener }]) {
      expect(await asked(`${url}/health/live`)).toEqual(['403 RELAY_HOST_UNKNOWN']);
    }
  });

  it.each([
    `http://${HOST}@other.example/`,
    `http://other.example@${HOST}/`,
    `http://${HOST}\\@other.example/`,
    `http://other.example\\.${HOST}/`,
    `http://${HOST}#@other.example/`,
    `http://${HOST}%2eother.example/`,
    `http://%61pi.example/`,
    `http://${HOST}%00.other.example/`,
    `http://${HOST},other.example/`,
    `http://${HOST};other.example/`,
    `http://${HOST}:080/`,
    `http://${HOST}:+80/`,
    `http://${HOST}:80:80/`,
    'http://[fe80::1%25eth0]/',
    'http://[::1]a/',
    'http://b\xfccher.example/',
    `http://${HOST}/#fragment`,
    `http://${HOST}#fragment`,
    `http://${HOST}/\xfc`,
    'http://*.below.example:8080/',
  ])('gets 400 for the target %j, which two readers could take for two hosts', async (target) => {
    const [response] = await asked(target);
    expect(response).toMatch(INVALID);
    expect([api.hits, other.hits]).toEqual([0, 0]);
  });

  it.each([
    ['a blank in the target', [`GET http://${HOST}/ a HTTP/1.1`, 'host: x', AUTH]],
    ['a tab in the target', [`GET http://${HOST}/\ta HTTP/1.1`, 'host: x', AUTH]],
    ['two host fields', [`GET http://${HOST}/ HTTP/1.1`, `host: ${HOST}`, 'host: x', AUTH]],
    ['a folded host field', [`GET http://${HOST}/ HTTP/1.1`, 'host: a', ' b', AUTH]],
    ['a bad host field', [`GET http://${HOST}/ HTTP/1.1`, 'host: a@b', AUTH]],
    ['no host field', [`GET http://${HOST}/ HTTP/1.1`, AUTH]],
  ])('gets 400 for a request with %s', async (_what, [startLine = '', ...lines]) => {
    const [response] = await sent(head(startLine, ...lines, CLOSE));
    expect(response).toMatch(INVALID);
    expect(api.hits).toBe(0);
  });

  it.each([
    `http:${HOST}/`,
    `http:/${HOST}/`,
    `${HOST}:80`,
    `https://${HOST}/`,
    'file:///etc/passwd',
    'data:,a',
    `httpx://${HOST}/`,
    `view-source:http://${HOST}/`,
  ])('gets 400 for the target %s, which is no http:// URL', async (target) => {
    const [response] = await asked(target);
    expect(response).toMatch(/^400 RELAY_(?:SCHEME_UNSUPPORTED|REQUEST_INVALID)$/);
    expect(api.hits).toBe(0);
  });

  it.each(['http://a..below.example:8080/', 'http://.below.example:8080/', `http://${HOST}../`])(
    'gets 403 for %s: nothing has an empty label',
    async (target) => {
      expect(await asked(target)).toEqual(['403 RELAY_HOST_UNKNOWN']);
    },
  );

  it('gets 403 for a peer that it may not call', async () => {
    const own = forThisTest(
      await startPlainClientTunnel({
        upstream: api.url,
        start: startRelay,
        clients: { reports: clientWith(tokenOf('reports')) },
      }),
    );
    const { status } = await own.proxied(`http://${HOST}/`, {
      headers: { 'proxy-authorization': basic('reports', tokenOf('reports')) },
    });
    expect(status).toBe(403);
    expect(api.hits).toBe(0);
  });

  it('of HTTP/1.0 needs no host field', async () => {
    expect(await sent(head(`GET http://${HOST}/ HTTP/1.0`, AUTH))).toEqual(['200']);
  });
});

describe('#106 a relay whose peers have no hosts', () => {
  it('is the proxy of nothing, with credentials and without', async () => {
    const own = forThisTest(
      await startPlainClientTunnel({
        upstream: api.url,
        peer: { hosts: undefined, listen: undefined },
        start: startRelay,
      }),
    );
    const at = async (url: string, ...lines: readonly string[]): Promise<string[]> => {
      const get = head(`GET ${url} HTTP/1.1`, 'host: x', CLOSE, ...lines);
      return responsesIn(await exchangeRaw(own.outbound.port, get));
    };
    for (const url of [`http://${HOST}/`, `${own.outbound.url}/health/live`, `${other.url}/`]) {
      expect(await at(url)).toEqual(['401 RELAY_TOKEN_MISSING']);
      expect(await at(url, AUTH)).toEqual(['403 RELAY_HOST_UNKNOWN']);
    }
    expect([api.hits, other.hits]).toEqual([0, 0]);
  });
});

describe('#107 on one connection to the forward proxy', () => {
  it('each request has credentials of its own', async () => {
    const get = `GET http://${HOST}/ HTTP/1.1`;
    expect(
      await sent(
        head(get, 'host: x', AUTH),
        head(get, 'host: x'),
        head(get, 'host: x', AUTH),
        head(get, 'host: x', `proxy-authorization: ${basic(CLIENT, 'wrong')}`),
        head(get, 'host: x', AUTH, AUTH),
        head(get, 'host: x', `proxy-authorization: ${basic('reports', tokenOf(CLIENT))}`, CLOSE),
      ),
    ).toEqual(['200', REFUSED, '200', REFUSED, REFUSED, REFUSED]);
    expect(api.hits).toBe(2);
  });

  it('a request for the relay itself, or for a route of it, is none for the proxy', async () => {
    expect(
      await sent(
        head('GET /health/live HTTP/1.1', 'host: x'),
        head(`GET http://${HOST}/health/live HTTP/1.1`, 'host: x', AUTH),
        head('GET /private HTTP/1.1', `host: ${HOST}`, AUTH),
        head(`HEAD http://${HOST}/ HTTP/1.1`, 'host: x'),
        head('GET /api/mte-relay HTTP/1.1', 'host: x', CLOSE),
      ),
    ).toEqual(['200', '200', '401 RELAY_TOKEN_MISSING', '407', '200']);
    expect(api.requests.items.map(({ url }) => url)).toEqual(['/health/live']);
  });

  it('a refused body is no request, however much of it comes', async () => {
    const inside = head(`GET http://${HOST}/inside HTTP/1.1`, 'host: x', AUTH);
    const post = `POST http://${HOST}/ HTTP/1.1`;
    for (const body of [inside, inside.repeat(2_000)]) {
      const length = `content-length: ${body.length}`;
      expect(await sent(head(post, 'host: x', length, CLOSE), body)).toEqual([REFUSED]);
    }
    expect(api.hits).toBe(0);
  });

  it('a request is refused before its body has come', async () => {
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    const lines = ['host: x', 'content-length: 5', 'expect: 100-continue'];
    socket.write(head(`PUT http://${HOST}/ HTTP/1.1`, ...lines));
    await socket.until('RELAY_PROXY_AUTH_REQUIRED');
    expect(api.hits).toBe(0);
  });
});

describe('#108 what an application passes on through the forward proxy', () => {
  it('leads nowhere else, even with a token that is valid', async () => {
    const lines = [
      `x-mte-outbound-token: ${tokenOf(CLIENT)}`,
      `x-mte-upstream: ${other.url}`,
      'x-mte-encode-type: none',
    ];
    expect(await asked(`http://${HOST}/`, ...lines)).toEqual(['200']);
    expect(await asked('http://other.example/', ...lines, 'x-mte-upstream: api')).toEqual([
      '403 RELAY_HOST_UNKNOWN',
    ]);
    expect([api.hits, other.hits]).toEqual([1, 0]);
  });

  it('is no message of a relay, and has the name of no other client', async () => {
    const lines = [
      'x-mte-relay: 1.E2uOwaOy1rJ0iSmtbBjUiw.1.0.mke.AQEBAQEBAQEBAQEBAQEBAQ',
      'x-mte-client: admin',
      'x-mte-client-address: 192.0.2.1',
      'connection: x-mte-client, proxy-authorization, via',
      'via: 1.1 before',
    ];
    expect(await asked(`http://${HOST}/`, ...lines)).toEqual(['200']);
    const { rawHeaders } = api.requests.items[0]!;
    expect(rawHeaders.join('\n')).not.toMatch(/x-mte-(?!api)|proxy-|admin|192\.0\.2\.1|before/i);
    expect(rawHeaders.join('\n')).not.toContain(tokenOf(CLIENT));
    expect(rawHeaders.filter((text) => text.includes('mte-api-relay-'))).toHaveLength(1);
  });

  it('is no loop if a Via only looks like ours', async () => {
    for (const via of ['1.1 mte-api-relay-0123456789abcdef', '1.1 mte-api-relay-', '1.1 x']) {
      expect(await asked(`http://${HOST}/`, `via: ${via}`)).toEqual(['200']);
    }
  });
});

describe('#107 the token of a client of the forward proxy', () => {
  it('is in no log line and in no response, right or wrong', async () => {
    const wrong = 'a-wrong-token-of-somebody';
    const encoded = basic(CLIENT, wrong);
    const received = await exchangeRaw(
      tunnel.outbound.port,
      head(`GET http://${HOST}/ HTTP/1.1`, 'host: x', `proxy-authorization: ${encoded}`, CLOSE),
    );
    await asked(`http://${CLIENT}:${tokenOf(CLIENT)}@${HOST}/`);
    await asked('http://other.example/');
    const lines = JSON.stringify([...tunnel.outbound.log.items, ...tunnel.inbound.log.items]);
    for (const secret of [wrong, encoded.slice(6), tokenOf(CLIENT), AUTH.slice(-20)]) {
      expect(received.toString('latin1')).not.toContain(secret);
      expect(lines).not.toContain(secret);
    }
  });
});

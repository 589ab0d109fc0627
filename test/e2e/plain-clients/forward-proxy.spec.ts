import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request } from '../../support/clients/client.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { startRelay } from '../../support/relays/relay.js';
import {
  basic,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../../support/tunnels/plain-client-tunnel.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const TOKEN = 'billing-token';
const URL_OF_API = `http://${HOST}/`;

const shared = sharedResources();
let api: Upstream;
let tunnel: PlainClientTunnel;

beforeAll(async () => {
  api = shared(await startUpstream());
  tunnel = shared(await startPlainClientTunnel({ upstream: api.url, start: startRelay }));
});

beforeEach(() => {
  api.forget();
  api.handle(({ method, url }, response) => {
    response.end(`${method} ${url}`);
  });
});

describe('a request to the forward proxy', () => {
  it.each([
    [`http://${HOST}/a?b=c`, 'GET /a?b=c'],
    [`http://${HOST}:80/`, 'GET /'],
    [`http://${HOST}`, 'GET /'],
    [`http://${HOST}?q`, 'GET /?q'],
    ['HTTP://API.Example/%2f', 'GET /%2f'],
    [`http://${HOST}./`, 'GET /'],
    ['http://a.below.example:8080/', 'GET /'],
    ['http://a.b.below.example:8080/', 'GET /'],
    [`http://${HOST}/http://other.example/`, 'GET /http://other.example/'],
    [`http://${HOST}/health/live`, 'GET /health/live'],
    [`http://${HOST}/api/mte-relay`, 'GET /api/mte-relay'],
  ])('for %s reaches the API of the peer that has its host', async (url, asked) => {
    const { status, body } = await tunnel.proxied(url);
    expect([status, body.toString()]).toEqual([200, asked]);
  });

  it.each([
    ['the name of the client and its token', basic('billing', TOKEN)],
    ['the token alone as the user', basic(TOKEN, '')],
    ['the token alone as the password', basic('', TOKEN)],
    [
      'the scheme in another case, and more blanks',
      basic('billing', TOKEN).replace('Basic ', 'bAsIc  '),
    ],
  ])('is admitted with %s', async (_what, value) => {
    const { status } = await tunnel.proxied(URL_OF_API, {
      headers: { 'proxy-authorization': value },
    });
    expect(status).toBe(200);
  });

  it.each([
    ['none', undefined],
    ['a wrong token', basic('billing', 'wrong')],
    ['the name of another client', basic('other', TOKEN)],
    ['the name of the client in another case', basic('Billing', TOKEN)],
    ['the token twice', basic(TOKEN, TOKEN)],
    ['an empty name and token', basic('', '')],
    ['no colon', `Basic ${Buffer.from(TOKEN).toString('base64')}`],
    ['another scheme', `Bearer ${TOKEN}`],
    ['the token in plaintext', `Basic billing:${TOKEN}`],
    ['two values', [basic('billing', TOKEN), basic('billing', TOKEN)]],
    ['two values, of which the second is wrong', [basic('billing', TOKEN), basic('a', 'b')]],
  ])('gets 407 with a challenge if its credentials are %s', async (_what, value) => {
    const response = await request(tunnel.outbound.url, {
      path: URL_OF_API,
      headers: value === undefined ? {} : { 'Proxy-Authorization': value },
    });
    expect(response.status).toBe(407);
    expect(response.headers['proxy-authenticate']).toBe('Basic realm="MTE API Relay"');
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PROXY_AUTH_REQUIRED', forwarded: 'no' });
    expect(response.body.toString()).not.toContain('wrong');
    expect(api.hits).toBe(0);
  });

  it.each([
    'http://other.example/',
    `http://${HOST}:8080/`,
    `http://www.${HOST}/`,
    'http://below.example:8080/',
    'http://a.below.example/',
    'http://[::1]/',
    'http://127.0.0.1:9/',
    'http://localhost/',
  ])('for %s gets 403 and the name of the key to add: nothing goes there', async (url) => {
    const response = await tunnel.proxied(url);
    expect(response.status).toBe(403);
    const { code, message, forwarded } = errorOf(response);
    expect([code, forwarded]).toEqual(['RELAY_HOST_UNKNOWN', 'no']);
    expect(message).toMatch(/^no peer .* the host \S+:\d+: add it to peers\.NAME\.hosts/);
    expect(api.hits).toBe(0);
  });

  it.each([`https://${HOST}/`, `ws://${HOST}/`, `ftp://${HOST}/`])(
    'for %s gets 400: only http:// can be sealed here',
    async (url) => {
      const response = await tunnel.proxied(url);
      expect(response.status).toBe(400);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_SCHEME_UNSUPPORTED',
        forwarded: 'no',
      });
    },
  );

  it.each([
    `http://user:password@${HOST}/`,
    `http://@${HOST}/`,
    'http:///path',
    'http://?q',
    `http://${HOST}:0/`,
    `http://${HOST}:99999/`,
    'http://[::1/',
    'http://a,b/',
    `http://${HOST}//a`,
    `http://${HOST}/a\\b`,
  ])('for %s gets 400, and nothing is forwarded', async (url) => {
    const response = await tunnel.proxied(url);
    expect(response.status).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_HEAD_INVALID', forwarded: 'no' });
    expect(response.body.toString()).not.toContain('password');
    expect(api.hits).toBe(0);
  });

  it('goes where its target says, whatever its host field is', async () => {
    const { status } = await tunnel.proxied(URL_OF_API, { headers: { host: 'other.example' } });
    expect(status).toBe(200);
    expect(
      (await tunnel.proxied('http://other.example/', { headers: { host: HOST } })).status,
    ).toBe(403);
  });

  it('arrives without what was for the proxy, and says which proxy it has passed', async () => {
    await tunnel.proxied(URL_OF_API, {
      headers: { 'proxy-connection': 'keep-alive', via: '1.0 before', 'x-a': '1' },
    });
    const { headers } = api.requests.items[0]!;
    expect(headers).not.toHaveProperty('proxy-authorization');
    expect(headers).not.toHaveProperty('proxy-connection');
    expect(headers['x-a']).toBe('1');
    expect(headers.via).toMatch(/^1\.0 before, 1\.1 mte-api-relay-[0-9a-f]{16}$/);
  });

  it('is not led elsewhere by x-mte-upstream, nor shown in part by other x-mte fields', async () => {
    const { status } = await tunnel.proxied(URL_OF_API, {
      headers: { 'x-mte-upstream': 'http://127.0.0.1:9', 'x-mte-encode-type': 'none' },
    });
    expect(status).toBe(200);
    expect(Object.keys(api.requests.items[0]!.headers).join()).not.toContain('x-mte-');
  });
});

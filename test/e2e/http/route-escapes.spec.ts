import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { headBytes, statusOf } from '../../support/network/raw-http.js';
import { exchangeBytes, type ReceivedResponse } from '../../support/clients/raw-client.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const ROUTES = '/api/*,/exact';

const INSIDE: readonly string[] = [
  '/api/',
  '/api/things',
  '/api/things?q=/../admin',
  '/api/things?q=%2e%2e%2f',
  '/api/x;a=1;b/y',
  '/api/.../x',
  '/api/..x/y..',
  '/api/.hidden',
  '/api/%7Euser/caf%C3%A9',
  '/api/caf%c3%a9',
  '/%61pi/things',
  '/exact',
  '/exact?',
  '/exact?a=b',
  '/%65xac%74',
  '/api/%25',
];

/** Paths that are not on the list, though some software could read them as a path that is. */
const OUTSIDE: readonly string[] = [
  '/',
  '/?/api/',
  '/api',
  '/apis',
  '/API/things',
  '/exactly',
  '/exact/',
  '/exact;a=1',
  '/Exact',
  '/exact%20',
  '/exact%3f',
  '/admin',
  '/api//things',
  '/api/x//y',
  '/api/x%2fy',
  '/api/x%2Fy',
  '/api/x%5cy',
  '/api/x%5Cy',
  '/%2fapi/x',
  '/api%2fthings',
  '/api/%252e%252e/admin',
  '/api/%252fadmin',
  '/api/%2525',
  '/api/%zz',
  '/api/%',
  '/api/%4',
  '/api/%00',
  '/api/%c0%ae%c0%ae/admin',
  '/api/%ff',
];

/** Paths with dot segments, in every form that some server may resolve. */
const DOT_SEGMENTS: readonly string[] = [
  '/api/..',
  '/api/.',
  '/api/../admin',
  '/api/./x',
  '/../api/x',
  '/admin/../api/x',
  '/api/%2e%2e/admin',
  '/api/%2E%2E/admin',
  '/api/%2e%2E/admin',
  '/api/.%2e/admin',
  '/api/%2E./admin',
  '/api/%2e/x',
  '/api/..%2fadmin',
  '/api/..%2Fadmin',
  '/api/..%5cadmin',
  '/api/..%5Cadmin',
  '/api/%2e%2e%2fadmin',
  '/api/%2E%2E%5Cadmin',
  '/api/x%2f..%2fadmin',
  '/api/x%2f%2e%2e',
  '/api/..;/admin',
  '/api/..;a=1/admin',
  '/api/%2e%2e;/admin',
  '/api/.;/admin',
  '/api//../admin',
  '/api/..?x',
  '/exact/..',
  '/exact/../admin',
];

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startRawTunnel({ inbound: { MTE_ROUTES: ROUTES, PASS_THROUGH_ROUTES: ROUTES } }),
  );
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

const CLOSE = ['Connection', 'close'] as const;

const summary = ({ head, body }: ReceivedResponse): string => {
  const [, code = ''] = /"code":"(\w+)"/.exec(body.toString()) ?? [];
  return `${head === undefined ? 0 : statusOf(head)} ${code}`.trim();
};

const throughTunnel = async (target: string, ...options: (readonly [string, string])[]) =>
  summary(await tunnel.exchange('GET', tunnel.head(`GET ${target} HTTP/1.1`, CLOSE, ...options)));

const passedThrough = async (target: string) =>
  summary(
    await exchangeBytes({
      port: tunnel.inbound.port,
      method: 'GET',
      bytes: [headBytes(`GET ${target} HTTP/1.1`, [['Host', 'a'], CLOSE])],
    }),
  );

const targetsSeen = () =>
  tunnel.upstream.exchanges.items.map(({ head }) => head.startLine.split(' ')[1]);

describe('MTE_ROUTES', () => {
  it.each(INSIDE)('forwards %s unchanged', async (target) => {
    expect(await throughTunnel(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each(OUTSIDE)('responds to %s with a sealed 404', async (target) => {
    expect(await throughTunnel(target)).toBe('404 RELAY_ROUTE_UNKNOWN');
    expect(targetsSeen()).toEqual([]);
  });

  it.each(DOT_SEGMENTS)('responds to %s with a sealed 400', async (target) => {
    expect(await throughTunnel(target)).toBe('400 RELAY_PATH_REFUSED');
    expect(targetsSeen()).toEqual([]);
  });

  it.each(['//api/x', '/api\\x', '/api/..\\admin', '\\api', '/api/x#/../admin'])(
    'never applies to %s, which the outbound relay refuses',
    async (target) => {
      expect(await throughTunnel(target)).toMatch(/^400 RELAY_(HEAD|REQUEST)_INVALID$/);
      expect(targetsSeen()).toEqual([]);
    },
  );

  it.each(['/admin', '/api/../admin'])(
    'applies to the sealed path, whatever the plaintext path: %s',
    async (target) => {
      const shown = ['X-MTE-Encode-Url', 'false'] as const;
      expect(await throughTunnel(target, shown)).toMatch(/^40[04] RELAY_(ROUTE|PATH)_/);
      expect(targetsSeen()).toEqual([]);
    },
  );
});

describe('PASS_THROUGH_ROUTES', () => {
  it.each(INSIDE)('forwards %s unchanged', async (target) => {
    expect(await passedThrough(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each([...OUTSIDE, ...DOT_SEGMENTS])(
    'does not list %s, which therefore requires a token',
    async (target) => {
      expect(await passedThrough(target)).toBe('401 RELAY_TOKEN_MISSING');
      expect(targetsSeen()).toEqual([]);
    },
  );

  it.each(['//api/x', '/api\\x', '\\api', '/api/x#y'])('refuses %s', async (target) => {
    expect(await passedThrough(target)).toMatch(/^400 RELAY_(HEAD|REQUEST)_INVALID$/);
    expect(targetsSeen()).toEqual([]);
  });

  it('uses the path of an absolute form', async () => {
    expect(await passedThrough('http://other.example/api/x')).toBe('200');
    expect(await passedThrough('http://other.example/admin?/api/')).toBe('401 RELAY_TOKEN_MISSING');
    expect(targetsSeen()).toEqual(['/api/x']);
  });
});

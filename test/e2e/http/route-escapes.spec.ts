import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { headBytes, statusOf } from '../../support/raw-http.js';
import { exchangeBytes, type ReceivedResponse } from '../../support/raw-client.js';
import { startRawTunnel, type RawTunnel } from '../../support/raw-tunnel.js';
import { sharedResources } from '../../support/resources.js';
import { respondOk } from '../../support/scripted-upstream.js';

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

/** No path of the list, but one that could be another's. */
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

/** Segments that climb, in every way in which a server may read them. */
const CLIMBING: readonly string[] = [
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
  it.each(INSIDE)('lets %s pass as it is', async (target) => {
    expect(await throughTunnel(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each(OUTSIDE)('answers %s by an inner 404', async (target) => {
    expect(await throughTunnel(target)).toBe('404 RELAY_ROUTE_UNKNOWN');
    expect(targetsSeen()).toEqual([]);
  });

  it.each(CLIMBING)('answers %s by an inner 400', async (target) => {
    expect(await throughTunnel(target)).toBe('400 RELAY_PATH_REFUSED');
    expect(targetsSeen()).toEqual([]);
  });

  it.each(['//api/x', '/api\\x', '/api/..\\admin', '\\api', '/api/x#/../admin'])(
    'never sees %s, which the outbound relay refuses',
    async (target) => {
      expect(await throughTunnel(target)).toMatch(/^400 RELAY_(HEAD|REQUEST)_INVALID$/);
      expect(targetsSeen()).toEqual([]);
    },
  );

  it.each(['/admin', '/api/../admin'])(
    'judges the sealed path, whatever the path in clear: %s',
    async (target) => {
      const shown = ['X-MTE-Encode-Url', 'false'] as const;
      expect(await throughTunnel(target, shown)).toMatch(/^40[04] RELAY_(ROUTE|PATH)_/);
      expect(targetsSeen()).toEqual([]);
    },
  );
});

describe('PASS_THROUGH_ROUTES', () => {
  it.each(INSIDE)('lets %s pass as it is', async (target) => {
    expect(await passedThrough(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each([...OUTSIDE, ...CLIMBING])(
    'does not list %s, so a token is asked for',
    async (target) => {
      expect(await passedThrough(target)).toBe('401 RELAY_TOKEN_MISSING');
      expect(targetsSeen()).toEqual([]);
    },
  );

  it.each(['//api/x', '/api\\x', '\\api', '/api/x#y'])('refuses %s', async (target) => {
    expect(await passedThrough(target)).toMatch(/^400 RELAY_(HEAD|REQUEST)_INVALID$/);
    expect(targetsSeen()).toEqual([]);
  });

  it('takes an absolute form for its path', async () => {
    expect(await passedThrough('http://other.example/api/x')).toBe('200');
    expect(await passedThrough('http://other.example/admin?/api/')).toBe('401 RELAY_TOKEN_MISSING');
    expect(targetsSeen()).toEqual(['/api/x']);
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { headBytes, statusOf } from '../../support/network/raw-http.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { exchangeBytes, type ReceivedResponse } from '../../support/clients/raw-client.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { ROUTES_OF_FORMS, targetsWith } from '../../support/http-cases/path-forms.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;
/** A relay that limits paths by the base path of its upstream alone. */
let based: TestRelay;

beforeAll(async () => {
  const routes = { MTE_ROUTES: ROUTES_OF_FORMS, PASS_THROUGH_ROUTES: ROUTES_OF_FORMS };
  tunnel = shared(await startRawTunnel({ inbound: routes }));
  based = shared(await startRelay({ UPSTREAM: `${tunnel.upstream.url}/base` }));
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

const belowBase = async (target: string) =>
  summary(
    await exchangeBytes({
      port: tunnel.outbound.port,
      method: 'GET',
      bytes: [
        headBytes(`GET ${target} HTTP/1.1`, [
          ['Host', 'a'],
          CLOSE,
          ['X-MTE-Outbound-Token', TOKEN],
          ['X-MTE-Upstream', based.url],
        ]),
      ],
    }),
  );

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
  it.each(targetsWith(200, 'mteRoutes'))('forwards %s unchanged', async (target) => {
    expect(await throughTunnel(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each(targetsWith(404, 'mteRoutes'))('responds to %s with a sealed 404', async (target) => {
    expect(await throughTunnel(target)).toBe('404 RELAY_ROUTE_UNKNOWN');
    expect(targetsSeen()).toEqual([]);
  });

  it.each(targetsWith(400, 'mteRoutes'))('responds to %s with a sealed 400', async (target) => {
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

  it.skipIf(IS_OVER_CHANNELS).each(['/admin', '/api/../admin'])(
    'applies to the sealed path, whatever the plaintext path: %s',
    async (target) => {
      const shown = ['X-MTE-Encode-Url', 'false'] as const;
      expect(await throughTunnel(target, shown)).toMatch(/^40[04] RELAY_(ROUTE|PATH)_/);
      expect(targetsSeen()).toEqual([]);
    },
  );
});

describe('PASS_THROUGH_ROUTES', () => {
  it.each(targetsWith(200, 'passThroughRoutes'))('forwards %s unchanged', async (target) => {
    expect(await passedThrough(target)).toBe('200');
    expect(targetsSeen()).toEqual([target]);
  });

  it.each(targetsWith(401, 'passThroughRoutes'))(
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

describe('A base path', () => {
  it.each(targetsWith(200, 'basePath'))('is put in front of %s, unchanged', async (target) => {
    expect(await belowBase(target)).toBe('200');
    expect(targetsSeen()).toEqual([`/base${target}`]);
  });

  it.each(targetsWith(400, 'basePath'))(
    'is not put in front of %s, which gets a sealed 400',
    async (target) => {
      expect(await belowBase(target)).toBe('400 RELAY_PATH_REFUSED');
      expect(targetsSeen()).toEqual([]);
    },
  );
});

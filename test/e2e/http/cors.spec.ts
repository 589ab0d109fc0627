import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { startRelay } from '../../support/relays/relay.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';

const APP = 'https://app.example';
const CORS = {
  CORS_ORIGINS: `${APP},https://admin.example:8443`,
  CORS_METHODS: 'GET,PUT,PROPFIND',
  PASS_THROUGH_ROUTES: '/public/*',
};

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ both: CORS }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(async ({ whole, write }) => {
    await whole;
    await write(
      'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: x-up\r\n' +
        'Vary: Accept\r\nSet-Cookie: a=1\r\nX-Other: 1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
    );
  });
});

const HOST: Field = ['Host', 'api.example.com'];
const CLOSE: Field = ['Connection', 'close'];
const origin = (value: string): Field => ['Origin', value];
const asks = (method: string): Field => ['Access-Control-Request-Method', method];

/** A request without a token, as a browser sends a preflight, to the relay that listens on `port`. */
const plain = (port: number, startLine: string, ...fields: readonly Field[]) =>
  exchangeBytes({
    port,
    method: startLine.split(' ')[0] ?? '',
    bytes: [headBytes(startLine, [HOST, ...fields, CLOSE])],
  });

const withToken = (startLine: string, ...fields: readonly Field[]) =>
  tunnel.exchange(startLine.split(' ')[0] ?? '', tunnel.head(startLine, ...fields, CLOSE));

type Response = Awaited<ReturnType<typeof plain>>;

const corsFields = ({ head }: Response): Record<string, string> =>
  Object.fromEntries(
    head!.fields
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name.startsWith('access-control-')),
  );

const varies = ({ head }: Response): string[] =>
  head!.fields.filter(([name]) => name.toLowerCase() === 'vary').map(([, value]) => value);

describe('a preflight', () => {
  it.each([APP, 'https://admin.example:8443'])(
    'from %s needs no token, receives the response of the relay and does not reach the upstream',
    async (from) => {
      const response = await plain(
        tunnel.outbound.port,
        'OPTIONS /any/path HTTP/1.1',
        origin(from),
        asks('PUT'),
        ['Access-Control-Request-Headers', 'content-type, x-mte-upstream'],
      );

      expect(statusOf(response.head!)).toBe(204);
      expect(corsFields(response)).toEqual({
        'access-control-allow-origin': from,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, PUT, PROPFIND',
        'access-control-allow-headers': 'content-type, x-mte-upstream',
      });
      expect(varies(response).join(', ')).toContain('Origin');
      expect(response.isComplete).toBe(true);
      expect(tunnel.upstream.exchanges.items).toEqual([]);
    },
  );

  it.each([
    'https://evil.example',
    'http://app.example',
    'https://app.example.evil',
    'https://app.example:444',
    'null',
  ])('from %s does not allow the origin', async (from) => {
    const response = await plain(
      tunnel.outbound.port,
      'OPTIONS / HTTP/1.1',
      origin(from),
      asks('PUT'),
    );

    expect(corsFields(response)).not.toHaveProperty('access-control-allow-origin');
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });
});

describe('a response to a page', () => {
  it('carries the CORS fields of the relay instead of those of the upstream, and all other fields', async () => {
    const response = await withToken('GET / HTTP/1.1', origin(APP));

    expect(corsFields(response)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
    });
    expect(varies(response)).toEqual(['Origin', 'Accept']);
    const cookies = response.head!.fields.filter(([name]) => name.toLowerCase() === 'set-cookie');
    expect(cookies.map(([, value]) => value)).toEqual(['a=1', 'b=2']);
    expect(response.body.toString()).toBe('ok');
  });

  it('of another origin does not allow that origin', async () => {
    const response = await withToken('GET / HTTP/1.1', origin('https://evil.example'));

    expect(corsFields(response)).not.toHaveProperty('access-control-allow-origin');
    expect(varies(response)).toEqual(['Origin', 'Accept']);
  });

  it('carries the CORS fields of the relay on a pass-through route', async () => {
    const response = await plain(tunnel.inbound.port, 'GET /public/x HTTP/1.1', origin(APP));

    expect(corsFields(response)).toMatchObject({ 'access-control-allow-origin': APP });
    expect(corsFields(response)).not.toHaveProperty('access-control-allow-headers');
    expect(response.body.toString()).toBe('ok');
  });

  it('carries the CORS fields even if it is an error of the relay, so that the page can read it', async () => {
    const response = await plain(tunnel.outbound.port, 'GET /private HTTP/1.1', origin(APP));

    expect(statusOf(response.head!)).toBe(401);
    expect(corsFields(response)).toMatchObject({ 'access-control-allow-origin': APP });
    expect(response.body.toString()).toContain('RELAY_TOKEN_MISSING');
  });
});

describe('without CORS_ORIGINS', () => {
  it('a preflight is forwarded, and the CORS fields of the upstream reach the client', async () => {
    const open = forThisTest(await startRawTunnel());
    open.upstream.follow(async ({ whole, write }) => {
      await whole;
      await write('HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: https://up\r\n\r\n');
    });

    const response = await open.exchange(
      'OPTIONS',
      open.head('OPTIONS /x HTTP/1.1', origin(APP), asks('PUT'), CLOSE),
    );

    expect(statusOf(response.head!)).toBe(204);
    expect(corsFields(response)).toEqual({ 'access-control-allow-origin': 'https://up' });
    expect(varies(response)).toEqual([]);
    const [exchange] = open.upstream.exchanges.items;
    expect(valueOf(exchange!.head.fields, 'origin')).toBe(APP);
    expect(valueOf(exchange!.head.fields, 'access-control-request-method')).toBe('PUT');
  });
});

describe('with DOMAIN_MAP', () => {
  it('the origins of a host are those of this host, and no other host varies by them', async () => {
    const domain = { upstream: tunnel.upstream.url, pass_through_routes: ['/public/*'] };
    const relay = forThisTest(
      await startRelay({
        UPSTREAM: '',
        DOMAIN_MAP: JSON.stringify({
          'api.example.com': { ...domain, cors_origins: [APP] },
          '*': domain,
        }),
      }),
    );

    const preflight = await plain(
      relay.port,
      'OPTIONS /public/x HTTP/1.1',
      origin(APP),
      asks('GET'),
    );
    expect(statusOf(preflight.head!)).toBe(204);
    expect(corsFields(preflight)).toMatchObject({ 'access-control-allow-origin': APP });
    expect(tunnel.upstream.exchanges.items).toEqual([]);

    const elsewhere = await exchangeBytes({
      port: relay.port,
      method: 'GET',
      bytes: [headBytes('GET /public/x HTTP/1.1', [['Host', 'b.example.com'], origin(APP), CLOSE])],
    });
    expect(corsFields(elsewhere)).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(varies(elsewhere)).toEqual(['Accept']);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';

import { errorOf, request, type ClientRequestSpec } from '../support/clients/client.js';
import { TOKEN } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ALT_TOKEN = 'second-token-of-the-tests';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(
    await startTunnel({
      outbound: {
        OUTBOUND_TOKEN_ALT: ALT_TOKEN,
        // The address of the inbound relay is not yet known here, and refusals do not need it.
        OUTBOUND_ALLOWED_UPSTREAMS: 'http://allowed.example:8080',
      },
    }),
  );
});

const token = { 'x-mte-outbound-token': TOKEN };
const allowed = { ...token, 'x-mte-upstream': 'http://allowed.example:8080' };

const REFUSALS: [why: string, status: number, code: string, spec: ClientRequestSpec][] = [
  ['a wrong token', 401, 'RELAY_TOKEN_INVALID', { headers: { 'x-mte-outbound-token': 'wrong' } }],
  ['an empty token', 401, 'RELAY_TOKEN_INVALID', { headers: { 'x-mte-outbound-token': '' } }],
  ['no token', 401, 'RELAY_TOKEN_MISSING', { headers: { 'x-mte-upstream': 'http://b' } }],
  ['no x-mte-upstream', 400, 'RELAY_UPSTREAM_HEADER_INVALID', { headers: token }],
  [
    'an x-mte-upstream with a path',
    400,
    'RELAY_UPSTREAM_HEADER_INVALID',
    { headers: { ...token, 'x-mte-upstream': 'http://b/path' } },
  ],
  [
    'an upstream that is not allowed',
    403,
    'RELAY_UPSTREAM_REFUSED',
    { headers: { ...token, 'x-mte-upstream': 'http://other.example:8080' } },
  ],
  [
    'an unknown encode type',
    400,
    'RELAY_OPTION_INVALID',
    { headers: { ...allowed, 'x-mte-encode-type': 'AES' } },
  ],
  [
    'an unknown encode url',
    400,
    'RELAY_OPTION_INVALID',
    { headers: { ...allowed, 'x-mte-encode-url': 'yes' } },
  ],
  [
    'encode headers that are not field names',
    400,
    'RELAY_OPTION_INVALID',
    { headers: { ...allowed, 'x-mte-encode-headers': 'a b' } },
  ],
  ['a path with two slashes', 400, 'RELAY_HEAD_INVALID', { path: '//evil', headers: allowed }],
];

describe('a client with', () => {
  it.each(REFUSALS)('%s gets %i %s', async (_why, status, code, spec) => {
    const response = await request(tunnel.outbound.url, { method: 'POST', body: 'x', ...spec });

    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(JSON.parse(response.body.toString())).toEqual({
      error: {
        code,
        message: expect.stringMatching(/./) as string,
        forwarded: 'no',
        requestId: expect.stringMatching(UUID) as string,
      },
    });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('a request id of its own finds that id in the response and in the log', async () => {
    const response = await request(tunnel.outbound.url, {
      headers: { ...token, 'x-request-id': 'order-4711' },
    });

    expect(errorOf(response).requestId).toBe('order-4711');
    const line = await tunnel.outbound.log.find(({ requestId }) => requestId === 'order-4711');
    expect(line).toMatchObject({ status: 400, code: 'RELAY_UPSTREAM_HEADER_INVALID' });
  });

  it('a request id that could break a log line gets a generated one instead', async () => {
    const given = 'a\tb "quoted"';

    const response = await request(tunnel.outbound.url, { headers: { 'x-request-id': given } });

    expect(errorOf(response).requestId).toMatch(UUID);
  });
});

describe('OUTBOUND_TOKEN_ALT', () => {
  it('is accepted as well as OUTBOUND_TOKEN', async () => {
    const both = await startTunnel({ outbound: { OUTBOUND_TOKEN_ALT: ALT_TOKEN } });
    shared(both);

    const statuses = await Promise.all(
      [TOKEN, ALT_TOKEN, 'third-token-of-the-tests'].map(async (given) => {
        const response = await both.send({ headers: { 'x-mte-outbound-token': given } });
        return response.status;
      }),
    );

    expect(statuses).toEqual([200, 200, 401]);
  });
});

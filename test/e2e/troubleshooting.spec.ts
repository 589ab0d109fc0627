import { createServer } from 'node:http';

import { loadConfig, type ConfigInvalidError } from '@relay/config';
import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../support/certificates/certificates.js';
import { request, type ClientRequestSpec } from '../support/clients/client.js';
import { listen } from '../support/network/listen.js';
import { DEFAULTS, TOKEN, startRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { expectQuoted, section } from '../support/assertions/troubleshooting.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { IS_OVER_CHANNELS } from '../support/tunnels/transport.js';

const NOWHERE = 'http://127.0.0.1:9';
const NO_NAME = 'no-such-host.invalid';

const shared = sharedResources();
let plain: Tunnel;
let authority: Authority;

beforeAll(async () => {
  plain = shared(await startTunnel());
  authority = shared(makeAuthority());
});

const tlsOf = (name: string, altName: string) => {
  const { cert, key } = authority.issue(name, altName);
  return { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
};

describe('docs/troubleshooting.md quotes the startup error', () => {
  it.each([
    [{ UPSTREAM: '' }, 'UPSTREAM is required'],
    [{ PORT: '8080 ' }, 'PORT must be an integer from 0 to 65535'],
    [
      { NODE_ENV: 'production', OUTBOUND_TOKEN: 'YOUR_SECURE_OUTBOUND_ACCESS_TOKEN' },
      'OUTBOUND_TOKEN must not be a documented placeholder',
    ],
    [
      { NODE_ENV: 'production', CLIENT_ID_SECRET: 'the-secret-of-our-two-relays-2024' },
      'CLIENT_ID_SECRET must have an estimated entropy of 96 bits or more',
    ],
    [
      { NODE_ENV: 'production', MTE_ROUTE: '/orders' },
      'MTE_ROUTE is not a variable of the relay: did you mean MTE_ROUTES',
    ],
    [
      { NODE_ENV: 'production', NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      'NODE_TLS_REJECT_UNAUTHORIZED must not be 0',
    ],
    [
      { CLIENT_ID_SECRET: '', CLIENT_ID_SECRET_FILE: '/missing' },
      'CLIENT_ID_SECRET_FILE cannot be read (ENOENT)',
    ],
  ])('of the configuration %j', (overrides, line) => {
    expect(section('The relay does not start')).toContain(line);
    let problems: readonly string[] = [];
    try {
      loadConfig({ ...DEFAULTS, ...overrides });
    } catch (error) {
      problems = (error as ConfigInvalidError).problems;
    }
    expect(problems.join('\n')).toContain(line);
  });

  it('of a key that belongs to another certificate', () => {
    const line = 'TLS_KEY_FILE must be the key of TLS_CERT_FILE, without a passphrase';
    expect(section('The relay does not start')).toContain(line);
    const { TLS_CERT_FILE } = tlsOf('one', 'DNS:one');
    const { TLS_KEY_FILE } = tlsOf('two', 'DNS:two');
    expect(() => loadConfig({ ...DEFAULTS, TLS_CERT_FILE, TLS_KEY_FILE })).toThrow(
      expect.objectContaining({ problems: [line] }),
    );
  });

  it('of a port that is in use', async () => {
    const line = 'listen EADDRINUSE: address already in use';
    expect(section('The relay does not start')).toContain(line);
    await expect(startRelay({ PORT: String(plain.inbound.port) })).rejects.toThrow(line);
  });
});

interface PlainCase {
  readonly spec: ClientRequestSpec;
  readonly status: number;
  readonly quotes: readonly string[];
}

describe('docs/troubleshooting.md quotes what relay A logs', () => {
  const headers = (fields: Record<string, string>): ClientRequestSpec => ({ headers: fields });
  const cases: Record<string, readonly PlainCase[]> = {
    '401, 400 and 403': [
      {
        spec: headers({ 'x-mte-outbound-token': 'wrong' }),
        status: 401,
        quotes: ['RELAY_TOKEN_INVALID', 'x-mte-outbound-token is not a token of this relay'],
      },
      {
        spec: headers({ 'x-mte-upstream': 'http://b/path' }),
        status: 400,
        quotes: [
          'RELAY_UPSTREAM_HEADER_INVALID',
          'x-mte-upstream is neither the name of a peer, nor an http or https URL without user, path, query and fragment',
        ],
      },
      {
        spec: headers({ 'x-mte-upstream': 'http://169.254.169.254' }),
        status: 403,
        quotes: ['RELAY_UPSTREAM_REFUSED', 'x-mte-upstream names a relay that may not be called'],
      },
    ],
    '502 RELAY_PEER_UNREACHABLE': [
      {
        spec: headers({ 'x-mte-upstream': NOWHERE }),
        status: 502,
        quotes: ['pairing failed', 'request failed', 'ECONNREFUSED'],
      },
      {
        spec: headers({ 'x-mte-upstream': `http://${NO_NAME}` }),
        status: 502,
        quotes: ['ENOTFOUND'],
      },
    ],
    '431, 400 and 413': [
      {
        spec: headers({ cookie: 'x'.repeat(90_000) }),
        status: 431,
        quotes: ['RELAY_REQUEST_TOO_LARGE', 'Parse Error: Header overflow'],
      },
      {
        spec: headers({ cookie: 'x'.repeat(70_000) }),
        status: 400,
        quotes: ['RELAY_HEAD_INVALID', 'exceeds the limit of 65536'],
      },
    ],
  };
  it.each(
    Object.entries(cases).flatMap(([heading, list]) =>
      list.map((one) => [heading, one.quotes[0]!, one] as const),
    ),
  )('under the heading %s: %s', async (heading, _quote, { spec, status, quotes }) => {
    plain.outbound.log.items.length = 0;
    expect(await plain.send(spec)).toMatchObject({ status });
    await expectQuoted(plain.outbound, heading, quotes);
  });

  it('if the token or the upstream is missing', async () => {
    const token = await request(plain.outbound.url);
    const upstream = await request(plain.outbound.url, {
      headers: { 'x-mte-outbound-token': TOKEN },
    });
    expect([token.status, upstream.status]).toEqual([401, 400]);
    await expectQuoted(plain.outbound, '401, 400 and 403', [
      'RELAY_TOKEN_MISSING',
      'x-mte-outbound-token is missing',
      'x-mte-upstream is missing',
    ]);
  });

  it('if the peer is not a relay', async () => {
    const api = forThisTest(
      await listen(
        createServer((_request, response) => {
          response.writeHead(404).end();
        }),
      ),
    );
    await plain.send({ headers: { 'x-mte-upstream': api.url } });
    await expectQuoted(plain.outbound, '502 RELAY_PAIR_REFUSED', [
      'pairing was refused with status 404',
    ]);
  });

  it.skipIf(IS_OVER_CHANNELS)('if a gateway responds to a message itself', async () => {
    const gateway = forThisTest(
      await listen(
        createServer((incoming, response) => {
          const { method, url = '' } = incoming;
          if (url.startsWith('/api/mte-tunnel')) {
            response.writeHead(502).end();
            return;
          }
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            void fetch(plain.inbound.url + url, {
              method: method ?? 'GET',
              body: Buffer.concat(chunks),
              headers: {
                'x-mte-client-id': String(incoming.headers['x-mte-client-id']),
                'x-mte-relay': String(incoming.headers['x-mte-relay']),
              },
            }).then(async (relayed) => {
              response.setHeader('x-mte-relay', relayed.headers.get('x-mte-relay') ?? '');
              response.writeHead(relayed.status).end(Buffer.from(await relayed.arrayBuffer()));
            });
          });
        }),
      ),
    );
    expect(await plain.send({ headers: { 'x-mte-upstream': gateway.url } })).toMatchObject({
      status: 502,
    });
    await expectQuoted(plain.outbound, '502 RELAY_PEER_ANSWER_INVALID', [
      'RELAY_PEER_ANSWER_INVALID',
      "the other relay's address responded with status 502",
    ]);
  });
});

import { Socket } from 'node:net';

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { TOKEN } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** The connections to others than the outbound relay. Those of a relay of an earlier file that is still closing do not count. */
function spyOnConnections(): () => string[] {
  const connect = vi.spyOn(Socket.prototype, 'connect');
  return () =>
    connect.mock.calls
      .flat(2)
      .map((argument) => argument as { readonly host?: unknown; readonly port?: unknown } | null)
      .filter((to) => to?.port !== undefined)
      .filter((to) => to?.host !== '127.0.0.1' || Number(to.port) === tunnel.inbound.port)
      .map((to) => `${String(to?.host)}:${String(to?.port)}`);
}

describe('#24 a token', () => {
  const upstreamField = (): string => `x-mte-upstream: ${tunnel.inbound.url}\r\n`;
  const post = (tokens: string): string =>
    `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${upstreamField()}${tokens}content-length: 1\r\n\r\nx`;

  it.each([
    ['wrong', 'x-mte-outbound-token: wrong\r\n'],
    ['empty', 'x-mte-outbound-token:\r\n'],
    ['truncated', `x-mte-outbound-token: ${TOKEN.slice(0, -1)}\r\n`],
    ['too long', `x-mte-outbound-token: ${TOKEN}x\r\n`],
    ['in another case', `x-mte-outbound-token: ${TOKEN.toUpperCase()}\r\n`],
    ['preceded by a scheme', `x-mte-outbound-token: Bearer ${TOKEN}\r\n`],
    ['given twice', `x-mte-outbound-token: ${TOKEN}\r\n`.repeat(2)],
    [
      'given beside a wrong one',
      `x-mte-outbound-token: ${TOKEN}\r\nx-mte-outbound-token: wrong\r\n`,
    ],
    ['made of other octets', 'x-mte-outbound-token: \xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\r\n'],
  ])('is refused with 401 and opens no connection if it is %s', async (_what, tokens) => {
    const connections = spyOnConnections();

    const response = (await exchangeRaw(tunnel.outbound.port, post(tokens))).toString('latin1');

    expect(response).toMatch(/^HTTP\/1.1 401 /);
    expect(response).toContain('RELAY_TOKEN_INVALID');
    expect(response).not.toContain(TOKEN);
    expect(connections()).toEqual([]);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('is accepted if it is right, and is not forwarded', async () => {
    const right = post(`x-mte-outbound-token: ${TOKEN}\r\n`);

    const response = (await exchangeRaw(tunnel.outbound.port, right)).toString('latin1');

    expect(response).toMatch(/^HTTP\/1.1 200 /);
    const [request] = tunnel.upstream.requests.items;
    expect(request?.rawHeaders.join()).not.toContain(TOKEN);
  });
});

describe('#25 x-mte-upstream', () => {
  const malformed = [
    '',
    'relay.example',
    '//relay.example',
    'ftp://relay.example',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://',
    'http:///relay.example',
    'http:relay.example',
    'http://user@relay.example',
    'http://user:password@relay.example',
    'http://relay.example@evil.example',
    'http://b@evil',
    'http://relay.example/path',
    'http://relay.example//',
    'http://relay.example?query',
    'http://relay.example/?query',
    'http://relay.example#fragment',
    'http://relay.example\\@evil.example',
    'http://relay.example:99999',
    'http://relay.example:port',
    'http://relay example',
    'http://[::1',
    'http://relay.example, http://evil.example',
    'http://%00relay.example',
  ];
  const refused = [
    'http://169.254.169.254',
    'http://169.254.169.254:80/',
    'HTTP://169.254.169.254',
    'http://169.254.0.1:8080',
    'https://169.254.170.2',
    'http://2852039166',
    'http://0xa9fea9fe',
    'http://0251.0376.0251.0376',
    'http://169.254.43518',
    'http://[::ffff:169.254.169.254]',
    'http://[::ffff:a9fe:a9fe]',
    'http://[fe80::1]',
    'http://[fd00:ec2::254]',
    'http://100.100.100.200',
    'http://168.63.129.16',
    'http://192.0.0.192',
    'http://0.0.0.0:80',
    'http://[::]',
  ];

  it.each(malformed)(
    'is refused with 400 and opens no connection if it is malformed ("%s")',
    async (value) => {
      const connections = spyOnConnections();

      const response = await tunnel.send({ headers: { 'x-mte-upstream': value } });

      expect(response.status).toBe(400);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_UPSTREAM_HEADER_INVALID',
        forwarded: 'no',
      });
      expect(connections()).toEqual([]);
    },
  );

  it.each(refused)('is refused with 403 and opens no connection ("%s")', async (value) => {
    const connections = spyOnConnections();

    const response = await tunnel.send({ headers: { 'x-mte-upstream': value } });

    expect(response.status).toBe(403);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_UPSTREAM_REFUSED', forwarded: 'no' });
    expect(connections()).toEqual([]);
  });

  it('is malformed if it is given twice', async () => {
    const values = [tunnel.inbound.url, tunnel.inbound.url];

    const response = await tunnel.send({ headers: { 'x-mte-upstream': values } });

    expect(response.status).toBe(400);
  });

  it.each(['HTTP://127.0.0.1:PORT/', 'http://127.1:PORT', 'http://2130706433:PORT'])(
    'names the same relay in every spelling: one session serves all ("%s")',
    async (template) => {
      const value = template.replace('PORT', String(tunnel.inbound.port));

      expect(await tunnel.send({ headers: { 'x-mte-upstream': value } })).toMatchObject({
        status: 200,
      });

      expect(tunnel.outbound.log.items.filter(({ msg }) => msg === 'paired')).toHaveLength(1);
    },
  );

  describe('if OUTBOUND_ALLOWED_UPSTREAMS is set', () => {
    let listed: Tunnel;

    beforeAll(async () => {
      const allowed = 'http://allowed.example:8080';
      listed = shared(await startTunnel({ outbound: { OUTBOUND_ALLOWED_UPSTREAMS: allowed } }));
    });

    it.each([
      'http://allowed.example',
      'https://allowed.example:8080',
      'http://allowed.example:8081',
      'http://sub.allowed.example:8080',
      'http://allowed.example.evil:8080',
      'http://127.0.0.1:8080',
    ])('is refused with 403 and opens no connection ("%s")', async (value) => {
      const connections = spyOnConnections();

      const response = await listed.send({ headers: { 'x-mte-upstream': value } });

      expect(response.status).toBe(403);
      expect(connections().filter((to) => !to.endsWith(`:${listed.outbound.port}`))).toEqual([]);
    });
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw, openSocket } from '../support/network/raw-socket.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(
    await startTunnel({
      inbound: { PASS_THROUGH_ROUTES: '/*', CORS_ORIGINS: 'https://a.example' },
    }),
  );
});

beforeEach(() => {
  tunnel.upstream.forget();
});

const fields = (): string =>
  Object.entries(tunnel.clientHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

const EVIL = (): string => `POST /evil HTTP/1.1\r\nhost: a\r\n${fields()}content-length: 0\r\n\r\n`;

/** Everything that relay A sends until it closes the connection. */
const exchange = async (bytes: string): Promise<string> =>
  (await exchangeRaw(tunnel.outbound.port, bytes)).toString('latin1');

const urls = (): string[] => tunnel.upstream.requests.items.map(({ url }) => url);

describe('#52 what follows a response with connection: close', () => {
  it.each([
    ['two host fields', 'POST /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n', 'content-length: 0\r\n\r\n'],
    ['no host field', 'POST /x HTTP/1.1\r\n', 'content-length: 0\r\n\r\n'],
    [
      'an empty transfer coding and a length',
      'POST /x HTTP/1.1\r\nhost: a\r\n',
      'transfer-encoding: \r\ncontent-length: 2\r\n\r\nab',
    ],
    ['an empty transfer coding', 'POST /x HTTP/1.1\r\nhost: a\r\n', 'transfer-encoding: \r\n\r\n'],
  ])('does not run if it was pipelined behind %s', async (_what, head, rest) => {
    const received = await exchange(`${head}${fields()}${rest}${EVIL()}`);

    expect(received).toMatch(/^HTTP\/1.1 400 .*\r\nconnection: close\r\n/is);
    expect(received.match(/HTTP\/1.1 \d+/g)).toHaveLength(1);
    expect(urls()).toEqual([]);
  });

  it('does not run if the relay closes because of how many were refused', async () => {
    const refused = 'GET /x HTTP/1.1\r\nhost: a\r\nx-mte-outbound-token: wrong\r\n\r\n';
    const received = await exchange(`${refused.repeat(150)}${EVIL()}`);

    expect(received).toMatch(/connection: close/i);
    expect(urls()).toEqual([]);
  });

  it('runs only in its turn: a pipelined request waits for the response before it', async () => {
    let release = (): void => undefined;
    tunnel.upstream.handle((_request, response) => {
      release = () => response.end('first');
      tunnel.upstream.handle((_second, next) => {
        next.end('second');
      });
    });
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n${fields()}\r\n`;
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(get('/first') + get('/second'));
    await tunnel.upstream.requests.find(({ url }) => url === '/first');
    expect((await request(tunnel.outbound.url, { path: '/health/live' })).status).toBe(200);
    expect(urls()).toEqual(['/first']);

    release();

    expect((await socket.until('second')).toString()).toContain('first');
  });
});

describe('#68 requests that are pipelined behind one whose response is pending', () => {
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n${fields()}\r\n`;

  it('end the connection if they are more than 256, and none of them runs', async () => {
    tunnel.upstream.handle(() => undefined);
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(get('/first'));
    await tunnel.upstream.requests.find(({ url }) => url === '/first');
    socket.write(get('/next').repeat(257));

    expect(await socket.all()).toHaveLength(0);
    expect(urls()).toEqual(['/first']);
  });

  it('are all answered if they are 256', async () => {
    tunnel.upstream.handle(echoBody);
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(get('/first') + get('/next').repeat(255));
    socket.write(get('/last').replace('host: a', 'host: a\r\nconnection: close'));

    expect((await socket.all()).toString('latin1').match(/HTTP\/1.1 200/g)).toHaveLength(257);
    expect(urls().at(-1)).toBe('/last');
  });
});

describe('a request that cannot be parsed', () => {
  it.each(['other', 'chunked, other', 'chunked, chunked'])(
    'does not prove that the one before it was not forwarded: transfer-encoding: %s',
    async (coding) => {
      tunnel.upstream.handle(() => {
        tunnel.upstream.handle(echoBody);
      });
      const head = (path: string): string => `POST ${path} HTTP/1.1\r\nhost: a\r\n${fields()}`;
      const socket = forThisTest(openSocket(tunnel.outbound.port));
      socket.write(`${head('/first')}content-length: 0\r\n\r\n`);
      await tunnel.upstream.requests.find(({ url }) => url === '/first');
      socket.write(`${head('/second')}transfer-encoding: ${coding}\r\n\r\nx`);

      expect((await socket.all()).toString()).toContain('"forwarded":"maybe"');
    },
  );
});

describe('#67 what was read together with the end of a request that offers an upgrade', () => {
  it('does not run, neither as it is nor what is left of it', async () => {
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    const offer = 'connection: upgrade\r\nupgrade: h2c\r\n';
    socket.write(
      `GET /offer HTTP/1.1\r\nhost: a\r\n${fields()}${offer}\r\n` +
        `POST /next HTTP/1.1\r\nhost: a\r\n${fields()}content-length: ${EVIL().length}\r\n\r\n`,
    );
    // By now the relay has read what precedes the body.
    await tunnel.upstream.requests.find(({ url }) => url === '/offer');
    socket.write(EVIL());

    expect((await socket.all()).toString('latin1').match(/HTTP\/1.1 \d+/g)).toHaveLength(1);
    expect(urls()).toEqual(['/offer']);
  });
});

describe('#52 a request of HTTP/1.0 with a transfer coding', () => {
  it('has the last response of its connection, even if it asks to keep it', async () => {
    const received = await exchange(
      `POST /old HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n${fields()}` +
        `transfer-encoding: chunked\r\n\r\n0\r\n\r\n${EVIL()}`,
    );

    expect(received.match(/HTTP\/1.1 \d+/g)).toHaveLength(1);
    expect(received).not.toMatch(/keep-alive/i);
    expect(urls()).not.toContain('/evil');
  });
});

describe('#52 a request line of another version', () => {
  it.each(['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.0', 'HTTP/1.9'])(
    'is refused with 505, and nothing behind it runs: %s',
    async (version) => {
      const received = await exchange(`GET /x ${version}\r\nhost: a\r\n${fields()}\r\n${EVIL()}`);

      expect(received).toMatch(/^HTTP\/1.1 505 HTTP Version Not Supported\r\n/);
      expect(received).toContain('RELAY_VERSION_UNSUPPORTED');
      expect(received).toMatch(/\r\nconnection: close\r\n/i);
      expect(received.match(/HTTP\/1.1 \d+/g)).toHaveLength(1);
      expect(urls()).toEqual([]);
    },
  );
});

describe('#52 a response that the relay makes itself is not stored', () => {
  it.each([
    ['liveness', 'GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 200],
    ['readiness', 'GET /health/ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 200],
    ['an echo', 'GET /api/mte-echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 200],
    ['a target that cannot be decoded', 'GET /api/mte-echo/%zz HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['a missing host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an unknown expectation', 'GET / HTTP/1.1\r\nhost: a\r\nexpect: x\r\n\r\n', 417],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n', 405],
    ['no HTTP', 'nonsense\r\n\r\n', 400],
    ['a head that is too large', `GET / HTTP/1.1\r\nx: ${'a'.repeat(90_000)}\r\n\r\n`, 431],
    ['an invalid relay header', 'POST / HTTP/1.1\r\nhost: a\r\nx-mte-relay: x\r\n\r\n', 569],
    [
      'a CORS preflight',
      'OPTIONS /x HTTP/1.1\r\nhost: a\r\norigin: https://a.example\r\n' +
        'access-control-request-method: PUT\r\nconnection: close\r\n\r\n',
      204,
    ],
  ])('%s', async (_what, bytes, status) => {
    const socket = forThisTest(openSocket(tunnel.inbound.port));
    socket.write(bytes);
    const head = (await socket.until('\r\n\r\n')).toString('latin1').split('\r\n\r\n')[0]!;

    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/\r\ncache-control: [^\r]*no-store/i);
  });
});

describe('#52 fields that are meant for every recipient', () => {
  const CARRIED = {
    authorization: 'Bearer a',
    cookie: 'a=b',
    'content-type': 'text/a',
    'content-language': 'de',
    'x-forwarded-for': '192.0.2.1',
  };
  const named = { connection: `Host, ${Object.keys(CARRIED).join(' , ').toUpperCase()}, x-gone` };

  it.each(['the tunnel', 'pass-through'])('are not removed by connection in %s', async (way) => {
    const headers = { ...CARRIED, ...named, 'x-gone': '1' };
    const spec = { method: 'POST', path: '/x', body: 'a', headers };

    await (way === 'the tunnel' ? tunnel.send(spec) : request(tunnel.inbound.url, spec));

    expect(tunnel.upstream.requests.items[0]?.headers).toMatchObject(CARRIED);
    expect(tunnel.upstream.requests.items[0]?.headers).not.toHaveProperty('x-gone');
  });

  it.each(['the tunnel', 'pass-through'])('frame a body under no other name in %s', async (way) => {
    const headers = { Transfer_Encoding: 'chunked', Content_Length: '99', content_Length: '98' };
    const spec = { method: 'POST', path: '/x', body: 'a', headers };

    await (way === 'the tunnel' ? tunnel.send(spec) : request(tunnel.inbound.url, spec));

    const names = Object.keys(tunnel.upstream.requests.items[0]!.headers);
    expect(names.filter((name) => name.includes('_'))).toEqual([]);
  });
});

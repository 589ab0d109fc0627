import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { headBytes, type Field } from '../support/network/raw-http.js';
import { openSocket } from '../support/network/raw-socket.js';
import { TOKEN } from '../support/relays/relay.js';
import {
  GRANTED,
  UPGRADE,
  startOctetTunnel,
  type OctetTunnel,
} from '../support/tunnels/octet-tunnel.js';

const shared = sharedResources();
let tunnel: OctetTunnel;

const A = {
  HEADERS: '{"x-zone":"zone-a"}',
  RESPONSE_HEADERS: '{"set-cookie":"cookie-of-a","x-served-by":"a"}',
};
const B = {
  HEADERS: '{"x-region":"region-b"}',
  REQUEST_HEADERS: '{"x-api-key":"key-of-b"}',
  RESPONSE_HEADERS: '{"x-auth-token":"token-of-b"}',
  MTE_ROUTES: '/ws,/ws/*',
  PASS_THROUGH_ROUTES: '/open/*',
};

beforeAll(async () => {
  tunnel = shared(await startOctetTunnel({ outbound: A, inbound: B }));
});

beforeEach(() => {
  tunnel.asked.items.length = 0;
  tunnel.answer(({ connection }) => {
    connection.write(GRANTED);
  });
});

/** Asks with further fields. @returns the heads of the API's request and of the client's response */
async function heads(
  ...fields: readonly Field[]
): Promise<readonly [asked: string, granted: string]> {
  const client = tunnel.ask(tunnel.head('GET /ws HTTP/1.1', ...UPGRADE, ...fields));
  const granted = (await client.until('\r\n\r\n')).toString('latin1');
  const { head } = await tunnel.asked.find();
  client.socket.destroy();
  return [head, granted];
}

describe('#92 the rules for requests hold for upgrades', () => {
  it.each(['x_api_key', 'X.Api-Key', 'x_zone', 'x-region'])(
    'a field that the API may read as one that a relay sets does not reach it: %s',
    async (name) => {
      const [asked] = await heads([name, 'forged'], ['x-other', 'kept']);
      expect(asked).not.toContain('forged');
      expect(asked).toMatch(/^x-api-key: key-of-b\r$/m);
      expect(asked).toMatch(/^x-zone: zone-a\r$/m);
      expect(asked).toMatch(/^x-region: region-b\r$/m);
      expect(asked).toMatch(/^x-other: kept\r$/m);
    },
  );

  it('the 101 has the configured fields of both relays, and those of the API', async () => {
    tunnel.answer(({ connection }) => {
      connection.write(GRANTED.replace('\r\n\r\n', '\r\nx-own: 1\r\ncontent-length: 5\r\n\r\n'));
    });
    const [, granted] = await heads();
    expect(granted).toMatch(/^HTTP\/1\.1 101 /);
    for (const field of [
      'set-cookie: cookie-of-a',
      'x-served-by: a',
      'x-auth-token: token-of-b',
      'x-own: 1',
    ]) {
      expect(granted.toLowerCase()).toContain(`\r\n${field}\r\n`);
    }
    expect(granted).not.toMatch(/content-length/i);
    expect(granted.match(/^upgrade: /gim)).toHaveLength(1);
  });

  it('the 101 of a pass-through route has none that only holders of a token may see', async () => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes('GET /open/ws HTTP/1.1', [['Host', 'b'], ...UPGRADE]));
    const granted = (await client.until('\r\n\r\n')).toString();
    expect(granted).toMatch(/^HTTP\/1\.1 101 /);
    expect(granted).not.toContain('token-of-b');
    const { head } = await tunnel.asked.find();
    expect(head).not.toContain('key-of-b');
    client.socket.destroy();
  });

  it('no field of a relay and none of the connection reaches the API', async () => {
    const [asked] = await heads(
      ['X-MTE-Anything', '1'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Authorization', 'Basic x'],
      ['TE', 'trailers'],
      ['Connection', 'x-named'],
      ['X-Named', '1'],
    );
    expect(asked).not.toMatch(/^(?:x-mte-.*|keep-alive|proxy-.*|te|x-named):/im);
    expect(asked).not.toContain(TOKEN);
    expect(asked.match(/^connection: upgrade\r$/gim)).toHaveLength(1);
    expect(asked.match(/^upgrade: websocket\r$/gim)).toHaveLength(1);
  });

  it.each([
    ['/other', 404],
    ['/ws/..%2fother', 400],
    ['/ws/%2e%2e/other', 400],
    ['//other', 400],
  ])('a path outside MTE_ROUTES is not asked for: %s', async (path, status) => {
    const client = tunnel.ask(tunnel.head(`GET ${path} HTTP/1.1`, ...UPGRADE));
    const received = (await client.all()).toString();
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*"forwarded":"no"`));
    expect(tunnel.asked.items).toEqual([]);
  });

  it('a path outside PASS_THROUGH_ROUTES is not asked for without a token', async () => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes('GET /ws HTTP/1.1', [['Host', 'b'], ...UPGRADE]));
    expect((await client.all()).toString()).toMatch(/^HTTP\/1\.1 401 [^]*RELAY_TOKEN_MISSING/);
    expect(tunnel.asked.items).toEqual([]);
  });

  it.each(['NTLM TlRMTVNTUAABAAAA', 'Negotiate YII='])(
    'the credentials of a connection are refused before anything is sent: %s',
    async (credentials) => {
      const opened = tunnel.path.openings.items.length;
      const fields: readonly Field[] = [...UPGRADE, ['Authorization', credentials]];
      const client = tunnel.ask(tunnel.head('GET /ws HTTP/1.1', ...fields));
      expect((await client.all()).toString()).toMatch(
        /^HTTP\/1\.1 \d+ [^]*RELAY_CONNECTION_AUTH_UNSUPPORTED[^]*"forwarded":"no"/,
      );
      expect(tunnel.path.openings.items).toHaveLength(opened);
    },
  );

  it('no line of a log has a credential, a path, a value or an octet of the connection', async () => {
    const { client, api } = await tunnel.open();
    client.write('secret-octets');
    await api.until('secret-octets');
    client.socket.resetAndDestroy();
    await api.ended;
    await heads(
      ['Authorization', 'Bearer secret-credential'],
      ['Sec-WebSocket-Protocol', 'secret-protocol'],
    );
    for (const { log } of [tunnel.outbound, tunnel.inbound]) {
      await log.find(({ msg, code }) => msg === 'upgraded connection ended' && code !== undefined);
      const text = JSON.stringify(log.items);
      for (const secret of [TOKEN, 'secret-', 'cookie-of-a', 'key-of-b', 'token-of-b']) {
        expect(text).not.toContain(secret);
      }
    }
  });
});

describe('#88 octets around a request for an upgrade', () => {
  const SMUGGLED = 'GET /ws/smuggled HTTP/1.1\r\nhost: b\r\n\r\n';

  it.each<readonly [string, string, readonly Field[], string]>([
    ['its body, which is too long', '400', [['Content-Length', '32769']], 'hello'],
    ['its body, in chunks', '400', [['Transfer-Encoding', 'chunked']], '5\r\nhello\r\n0\r\n\r\n'],
    ['behind it, if it is refused', '404', [], ''],
  ])('%s, are never a request of their own', async (what, status, framing, body) => {
    const path = what.startsWith('its') ? '/ws' : '/other';
    const head = tunnel.head(`GET ${path} HTTP/1.1`, ...UPGRADE, ...framing);
    const evil = tunnel.head('GET /ws/smuggled HTTP/1.1').toString('latin1');
    const client = tunnel.ask(Buffer.concat([head, Buffer.from(body + evil)]));

    const received = (await client.until('"requestId"')).toString();
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await client.ended).toBe('end');
    expect(client.received.toString().match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(tunnel.asked.items).toEqual([]);
  });

  it.each<readonly [string, readonly Field[], string]>([
    ['without a body', [], ''],
    ['with a body', [['Content-Length', '5']], 'hello'],
  ])('behind it, if the API refuses it, never reach the API: %s', async (_what, framing, body) => {
    tunnel.answer(({ connection }) => {
      void connection.until(`\r\n\r\n${body}`).then(() => {
        connection.write('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 7\r\n\r\nrefused');
      });
    });
    const client = tunnel.ask(
      tunnel.head('POST /ws HTTP/1.1', ...UPGRADE, ...framing),
      body + SMUGGLED,
    );

    expect((await client.all()).toString()).toMatch(/^HTTP\/1\.1 426 [^]*refused$/);
    await tunnel.expectNothingLeft();
    const received = tunnel.asked.items.map(({ connection }) => connection.received.toString());
    expect(received).toHaveLength(1);
    expect(received[0]).toMatch(new RegExp(`\r\n\r\n${body}$`));
  });

  it('of the API, behind a 101 to another protocol than was asked for, never reach the client', async () => {
    tunnel.answer(({ connection }) => {
      connection.write(GRANTED.replace('websocket', 'h2c') + 'HTTP/1.1 200 OK\r\n\r\nevil');
    });
    const received = (await tunnel.ask().all()).toString();
    expect(received).toMatch(/^HTTP\/1\.1 502 /);
    expect(received).not.toContain('evil');
  });
});

describe('#90 upgraded connections that take all their places', () => {
  it('leave requests, channels and pairings theirs', async () => {
    const small = forThisTest(
      await startOctetTunnel({
        both: { MAX_CONCURRENT_REQUESTS: '2' },
        outbound: { MAX_UPGRADED_CONNECTIONS: '2' },
      }),
    );
    await small.open();
    await small.open();
    const further = small.ask();
    expect((await further.all()).toString()).toMatch(/^HTTP\/1\.1 503 [^]*RELAY_BUSY/);
    small.answer(({ connection }) => {
      connection.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
    });
    for (const path of ['/1', '/2', '/3']) {
      const client = small.ask(small.head(`GET ${path} HTTP/1.1`));
      expect((await client.until('\r\n\r\nok')).toString()).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { headBytes, type Field } from '../../support/network/raw-http.js';
import {
  GRANTED,
  ORDINARY,
  UPGRADE,
  countedOctets,
  refusalOf,
  startOctetTunnel,
  type AskedRequest,
  type OctetTunnel,
} from '../../support/tunnels/octet-tunnel.js';

const MIB = 1_048_576;
const TIMEOUTS = { RESPONSE_TIMEOUT_MS: '1000', CONNECT_TIMEOUT_MS: '1000' };

const shared = sharedResources();
let tunnel: OctetTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startOctetTunnel({ both: { ...TIMEOUTS, PASS_THROUGH_ROUTES: '/open/*' } }),
  );
});

beforeEach(() => {
  tunnel.answer(({ connection }) => {
    connection.write(GRANTED);
  });
});

const upgradeTo = (value: string): readonly Field[] => [
  ['Connection', 'Upgrade'],
  ['Upgrade', value],
];

const lastAsked = (): AskedRequest => tunnel.asked.items.at(-1)!;

describe('a request that names an upgrade and is none', () => {
  it.each<readonly [string, string, readonly Field[]]>([
    ['without the connection option', 'GET /x HTTP/1.1', [['Upgrade', 'websocket']]],
    ['with another connection option', 'GET /x HTTP/1.1', [['Connection', 'x'], UPGRADE[1]!]],
    ['with two protocols in a line', 'GET /x HTTP/1.1', upgradeTo('websocket, h2c')],
    ['with two lines', 'GET /x HTTP/1.1', [...UPGRADE, ['Upgrade', 'h2c']]],
    ['with the same line twice', 'GET /x HTTP/1.1', [...UPGRADE, ['Upgrade', 'websocket']]],
    ['to a protocol that no relay lists', 'GET /x HTTP/1.1', upgradeTo('x-other')],
    ['to nothing', 'GET /x HTTP/1.1', upgradeTo('')],
    ['in HTTP/1.0', 'GET /x HTTP/1.0', UPGRADE],
  ])('is an ordinary request without it: %s', async (_what, startLine, fields) => {
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });
    const client = tunnel.ask(tunnel.head(startLine, ...fields));

    expect((await client.until('ordinary')).toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(lastAsked().head).not.toMatch(/upgrade/i);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it('is an ordinary request without it behind another whose response is pending', async () => {
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });
    const asked = tunnel.asked.items.length;
    const client = tunnel.ask(
      tunnel.head('GET /1 HTTP/1.1'),
      tunnel.head('GET /2 HTTP/1.1', ...UPGRADE),
    );

    await tunnel.asked.count(asked + 2);
    await client.until('ordinaryHTTP/1.1 200 ');
    expect(lastAsked().head).toMatch(/^GET \/2 /);
    expect(lastAsked().head).not.toMatch(/upgrade/i);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });
});

describe('a request for an upgrade', () => {
  it.each<readonly [string, readonly Field[], string]>([
    ['more than 32,768 octets', [['Content-Length', '32769']], 'abc'],
    ['chunks', [['Transfer-Encoding', 'chunked']], '3\r\nabc\r\n0\r\n\r\n'],
    ['no chunks', [['Transfer-Encoding', 'chunked']], '0\r\n\r\n'],
  ])(
    'is refused with a body that is long, or of unknown length: %s',
    async (_what, framing, body) => {
      const asked = tunnel.asked.items.length;
      const close: Field = ['Connection', 'close'];
      const client = tunnel.ask(
        tunnel.head('POST /x HTTP/1.1', ...UPGRADE, close, ...framing),
        body,
      );

      expect(await refusalOf(client)).toEqual({
        status: 400,
        code: 'RELAY_HEAD_INVALID',
        forwarded: 'no',
      });
      expect(tunnel.asked.items).toHaveLength(asked);
      await tunnel.expectNothingLeft();
    },
  );

  it.each(['GET', 'POST'])('is granted with a length of 0: %s', async (method) => {
    const head = tunnel.head(`${method} /x HTTP/1.1`, ...UPGRADE, ['Content-Length', '0']);
    const client = tunnel.ask(head, 'octets');

    await client.until('HTTP/1.1 101 ');
    expect((await lastAsked().connection.until('octets')).toString()).toMatch(/\r\n\r\noctets$/);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it('is granted on a connection that has carried other requests', async () => {
    tunnel.answer(({ head, connection }) => {
      connection.write(head.startsWith('GET /ws ') ? GRANTED : ORDINARY);
    });
    const client = tunnel.ask(tunnel.head('GET /1 HTTP/1.1'));
    await client.until('ordinary');
    client.write(tunnel.head('GET /ws HTTP/1.1', ...UPGRADE));

    await client.until('HTTP/1.1 101 ');
    lastAsked().connection.write('greeting');
    await client.until('\r\n\r\ngreeting');
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });
});

describe('octets that a client sends before the 101', () => {
  it.each([
    ['a few', 4],
    ['1 MiB', MIB],
  ])('wait for it, and arrive behind it, in order: %s', async (_what, length) => {
    tunnel.answer(() => undefined);
    const octets = countedOctets(length);
    const asked = tunnel.asked.items.length;
    const client = tunnel.ask(tunnel.head('GET /early HTTP/1.1', ...UPGRADE), octets);
    await tunnel.asked.count(asked + 1);
    const { head, connection } = lastAsked();
    // By then, octets that did not wait would have come as well.
    const { client: other } = await tunnel.open();
    other.socket.destroy();
    expect(connection.received).toHaveLength(head.length);

    connection.write(GRANTED);

    const arrived = (): boolean => connection.received.length === head.length + length;
    await expect.poll(arrived, { timeout: 30_000 }).toBe(true);
    expect(connection.received.subarray(head.length).equals(octets)).toBe(true);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it('arrive with the end of its direction behind them', async () => {
    const client = tunnel.ask(tunnel.head('GET /early HTTP/1.1', ...UPGRADE), 'all of it');
    client.socket.end();

    await client.until('HTTP/1.1 101 ');
    const { connection } = lastAsked();
    expect((await connection.all()).toString()).toMatch(/\r\n\r\nall of it$/);
    expect(await connection.ended).toBe('end');
    await client.ended;
    await tunnel.expectNothingLeft();
  });

  it.each([
    ['by the relay', 'x-mte-outbound-token', /^HTTP\/1\.1 401 .*RELAY_TOKEN_INVALID.*\}$/s],
    ['by the API', 'x-other', /^HTTP\/1\.1 426 .*refused$/s],
  ])(
    'are never a request, and take no response with them, if it is refused %s',
    async (_what, name, expected) => {
      tunnel.answer(({ connection }) => {
        connection.write('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 7\r\n\r\nrefused');
      });
      const asked = tunnel.asked.items.length;
      const fields = tunnel.fields.map(([each, value]): Field => [
        each,
        each.toLowerCase() === name ? 'wrong' : value,
      ]);
      const request = headBytes('GET /ws HTTP/1.1', [...fields, ...UPGRADE]);
      const smuggled = tunnel.head('GET /smuggled HTTP/1.1').toString().repeat(5_000);
      const client = tunnel.ask(Buffer.concat([request, Buffer.from(smuggled)]));

      expect((await client.all()).toString()).toMatch(expected);
      expect(await client.ended).toBe('end');
      const smuggledOnes = tunnel.asked.items
        .slice(asked)
        .filter(({ head }) => head.includes('smuggled'));
      expect(smuggledOnes).toEqual([]);
      client.socket.destroy();
      await tunnel.expectNothingLeft();
    },
  );
});

describe('a client that goes away before the 101', () => {
  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'has the connection to the API ended, and no 101 is sent: %s',
    async (how) => {
      tunnel.answer(() => undefined);
      const asked = tunnel.asked.items.length;
      const client = tunnel.ask();
      await tunnel.asked.count(asked + 1);
      client.socket[how]();

      await lastAsked().connection.ended;
      expect(client.received).toHaveLength(0);
      await tunnel.expectNothingLeft();
    },
  );
});

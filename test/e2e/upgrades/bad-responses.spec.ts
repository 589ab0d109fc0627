import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { headBytes } from '../../support/network/raw-http.js';
import { openSocket } from '../../support/network/raw-socket.js';
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

const lastAsked = (): AskedRequest => tunnel.asked.items.at(-1)!;

describe('an API that is asked for an upgrade', () => {
  it.each<readonly [string, string | undefined, number, string]>([
    ['grants another protocol', 'Connection: upgrade\r\nUpgrade: h2c\r\n', 502, 'maybe'],
    ['grants two', 'Connection: upgrade\r\nUpgrade: websocket, h2c\r\n', 502, 'maybe'],
    [
      'grants it twice',
      'Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n',
      502,
      'maybe',
    ],
    ['grants nothing that it names', 'Connection: upgrade\r\n', 502, 'maybe'],
    ['does not say so in its connection field', 'Upgrade: websocket\r\n', 502, 'maybe'],
    ['says neither', '', 502, 'maybe'],
    ['never answers', undefined, 504, 'maybe'],
  ])('and %s', async (_what, fields, status, forwarded) => {
    tunnel.answer(({ connection }) => {
      if (fields !== undefined) {
        connection.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\nsecret octets`);
      }
    });
    const client = tunnel.ask();

    expect(await refusalOf(client)).toMatchObject({ status, forwarded });
    expect(client.received.toString()).not.toContain('secret octets');
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, (request: AskedRequest) => void]>([
    [
      'resets the connection',
      ({ connection }) => {
        connection.socket.resetAndDestroy();
      },
    ],
    [
      'closes the connection',
      ({ connection }) => {
        connection.socket.end();
      },
    ],
    [
      'closes it within the head of its 101',
      ({ connection }) => {
        connection.socket.end(GRANTED.slice(0, -4));
      },
    ],
    [
      'sends what is not HTTP',
      ({ connection }) => {
        connection.write('SSH-2.0-x\r\n\r\n');
      },
    ],
  ])('and %s instead of a response', async (_what, script) => {
    tunnel.answer(script);

    expect(await refusalOf(tunnel.ask())).toMatchObject({ status: 502, forwarded: 'maybe' });
    await tunnel.expectNothingLeft();
  });

  it.each([
    ['with a length', 'content-length: 7\r\n\r\nrefused'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n7\r\nrefused\r\n0\r\n\r\n'],
    ['until it closes', 'connection: close\r\n\r\nrefused'],
  ])('refuses it in an ordinary response: %s', async (_what, rest) => {
    tunnel.answer(({ connection }) => {
      connection.write(`HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\n${rest}`);
      if (rest.startsWith('connection')) {
        connection.socket.end();
      }
    });
    const client = tunnel.ask();

    expect((await client.all()).toString()).toMatch(/^HTTP\/1\.1 426 .*refused/s);
    await tunnel.expectNothingLeft();
  });

  it('may send interim responses first, and octets with its 101', async () => {
    tunnel.answer(({ connection }) => {
      const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
      connection.write(`HTTP/1.1 100 Continue\r\n\r\n${hints}${GRANTED}greeting`);
    });
    const client = tunnel.ask();

    expect((await client.until('greeting')).toString()).toMatch(
      /^HTTP\/1\.1 101 [^]*\r\n\r\ngreeting$/,
    );
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });
});

describe('an API that switches protocols although nobody has asked', () => {
  it.each([
    ['with both fields', GRANTED],
    ['without fields', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('%s: the client has an error, and its connection goes on', async (_what, response) => {
    tunnel.answer(({ connection }) => {
      connection.write(`${response}secret octets`);
    });
    const client = tunnel.ask(tunnel.head('POST /x HTTP/1.1', ['Content-Length', '0']));

    const received = (await client.until('"requestId"')).toString();
    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"maybe"/s);
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });
    client.write(tunnel.head('GET /next HTTP/1.1'));
    expect((await client.until('ordinary')).toString()).not.toContain('secret octets');
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });
});

describe('an upgraded connection', () => {
  it('is reset at the client when the API resets it', async () => {
    const { client, api } = await tunnel.open();
    api.write('some');
    await client.until('some');
    api.socket.resetAndDestroy();

    expect(await client.ended).toBe('reset');
    await tunnel.expectNothingLeft();
  });

  it('is reset at the API when the client resets it', async () => {
    const { client, api } = await tunnel.open();
    client.write('some');
    await api.until('some');
    client.socket.resetAndDestroy();

    expect(await api.ended).toBe('reset');
    await tunnel.expectNothingLeft();
  });

  it('goes on in the other direction when one has ended', async () => {
    const { client, api } = await tunnel.open();
    api.socket.end('the last');
    // A raw socket writes one octet more before it ends its own direction.
    await client.until('\r\n\r\nthe last');
    expect(await client.ended).toBe('end');
    expect((await api.all()).toString()).toMatch(/\n$/);
    await tunnel.expectNothingLeft();
  });

  it.each(['client', 'api'] as const)(
    'is reset when its %s resets it after the other has ended its direction',
    async (who) => {
      const ends = await tunnel.open();
      const [resetting, ending] =
        who === 'client' ? [ends.client, ends.api] : [ends.api, ends.client];
      // It does not end its own direction then.
      resetting.socket.removeAllListeners('end');
      const ended = new Promise((resolve) => resetting.socket.once('end', resolve));
      ending.socket.end();
      await ended;
      resetting.socket.resetAndDestroy();

      expect(await ending.ended).toBe('reset');
      await tunnel.expectNothingLeft();
    },
  );
});

describe('an upgrade on a pass-through route', () => {
  const ask = (...bytes: readonly (string | Buffer)[]) => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    const head = headBytes('GET /open/ws HTTP/1.1', [['Host', 'b'], ...UPGRADE]);
    for (const part of [head, ...bytes]) {
      client.write(part);
    }
    return client;
  };

  it('carries octets that were sent before the 101 behind it', async () => {
    const octets = countedOctets(MIB);
    const client = ask(octets);
    await client.until('HTTP/1.1 101 ');
    const { head, connection } = lastAsked();
    const arrived = (): boolean => connection.received.length === head.length + octets.length;
    await expect.poll(arrived, { timeout: 30_000 }).toBe(true);
    expect(connection.received.subarray(head.length).equals(octets)).toBe(true);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, string | undefined, number]>([
    ['grants another protocol', 'Connection: upgrade\r\nUpgrade: h2c\r\n', 502],
    ['grants nothing that it names', 'Connection: upgrade\r\n', 502],
    ['never answers', undefined, 504],
  ])('is refused if the API %s', async (_what, fields, status) => {
    tunnel.answer(({ connection }) => {
      if (fields !== undefined) {
        connection.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
      }
    });

    expect(await refusalOf(ask())).toMatchObject({ status, forwarded: 'maybe' });
    await tunnel.expectNothingLeft();
  });

  it('is ended at the API when its client goes away before the 101', async () => {
    tunnel.answer(() => undefined);
    const asked = tunnel.asked.items.length;
    const client = ask();
    await tunnel.asked.count(asked + 1);
    client.socket.destroy();

    await lastAsked().connection.ended;
    await tunnel.expectNothingLeft();
  });
});

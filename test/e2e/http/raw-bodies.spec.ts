import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { statusOf, valueOf } from '../../support/network/raw-http.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

/** Bytes that follow a valid first chunk and violate the syntax. */
const MALFORMED: readonly [what: string, bytes: string][] = [
  ['a chunk size that is not a number', 'zz\r\nab\r\n0\r\n\r\n'],
  ['a negative chunk size', '-1\r\nab\r\n0\r\n\r\n'],
  ['a chunk size with a prefix', '0x2\r\nab\r\n0\r\n\r\n'],
  ['a chunk size beyond 64 bits', 'fffffffffffffffff\r\nab\r\n0\r\n\r\n'],
  ['a chunk size that ends in LF', '2\nab\r\n0\r\n\r\n'],
  ['a chunk size that ends in CR', '2\rab\r\n0\r\n\r\n'],
  ['a chunk that is longer than its size', '2\r\nabc\r\n0\r\n\r\n'],
  ['a chunk that ends in LF', '2\r\nab\n0\r\n\r\n'],
  ['a NUL after a chunk size', '2\0\r\nab\r\n0\r\n\r\n'],
  ['a chunk extension of 20 KiB', `2;${'x'.repeat(20_480)}\r\nab\r\n0\r\n\r\n`],
  ['a trailer line without a colon', '0\r\nX-Trailer\r\n\r\n'],
  ['a folded trailer line', '0\r\nX-Trailer: a\r\n b\r\n\r\n'],
];

describe('a chunked body that contains', () => {
  it.each(MALFORMED)(
    '%s ends its connection with a 400, and its request never completes at the upstream',
    async (_what, bytes) => {
      const socket = forThisTest(openSocket(tunnel.outbound.port));
      socket.write(tunnel.head('POST /broken HTTP/1.1', ['Transfer-Encoding', 'chunked']));
      socket.write('5\r\nfirst\r\n');
      const exchange = await tunnel.upstream.exchanges.find();

      socket.write(`${bytes}GET /evil HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = (await socket.all()).toString('latin1');

      expect(response).toMatch(/^HTTP\/1\.1 400 /);
      expect(response).toContain('"code":"RELAY_REQUEST_INVALID"');
      const seen = await exchange.whole;
      expect(seen).toMatchObject({ isComplete: false, framing: 'chunked' });
      expect('firstab'.startsWith(seen.body.toString())).toBe(true);
      expect(tunnel.upstream.exchanges.items).toHaveLength(1);
    },
  );

  it('trailer fields of 90 KiB ends its connection with a 431', async () => {
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(tunnel.head('POST /broken HTTP/1.1', ['Transfer-Encoding', 'chunked']));
    socket.write('5\r\nfirst\r\n');
    const exchange = await tunnel.upstream.exchanges.find();

    socket.write(`0\r\nX-Trailer: ${'x'.repeat(90 * 1024)}\r\n\r\n`);

    const response = (await socket.all()).toString('latin1');
    expect(response).toMatch(/^HTTP\/1\.1 431 /);
    expect(response).toContain('"code":"RELAY_REQUEST_TOO_LARGE"');
    expect(await exchange.whole).toMatchObject({ isComplete: false });
  });
});

/** The method, how the client frames an empty body, and how it arrives framed at the upstream. */
const EMPTY: readonly [method: string, framing: 'none' | 'length' | 'chunked', seen: string][] = [
  ['GET', 'none', 'none'],
  ['GET', 'length', 'none'],
  ['GET', 'chunked', 'none'],
  ['HEAD', 'length', 'none'],
  ['DELETE', 'none', 'none'],
  ['DELETE', 'length', 'none'],
  ['DELETE', 'chunked', 'none'],
  ['OPTIONS', 'length', 'none'],
  ['POST', 'none', 'length'],
  ['POST', 'length', 'length'],
  ['POST', 'chunked', 'length'],
  ['PUT', 'none', 'length'],
  ['PATCH', 'chunked', 'length'],
  ['MKCOL', 'none', 'none'],
  ['MKCOL', 'length', 'none'],
  ['REPORT', 'length', 'none'],
  ['QUERY', 'none', 'length'],
  ['PROPFIND', 'none', 'length'],
  ['PROPFIND', 'length', 'length'],
];

describe('an empty body', () => {
  it.each(EMPTY)(
    'of %s with framing "%s" reaches the upstream with framing "%s"',
    async (...row) => {
      const [method, framing, seen] = row;
      const fields = {
        none: [],
        length: [['Content-Length', '0']] as const,
        chunked: [['Transfer-Encoding', 'chunked']] as const,
      }[framing];

      const response = await tunnel.exchange(
        method,
        tunnel.head(`${method} /empty HTTP/1.1`, ...fields, ['Connection', 'close']),
        ...(framing === 'chunked' ? ['0\r\n\r\n'] : []),
      );

      expect(statusOf(response.head!)).toBe(200);
      const [exchange] = tunnel.upstream.exchanges.items;
      expect(exchange?.seen()).toMatchObject({ framing: seen, isComplete: true });
      const length = valueOf(exchange!.head.fields, 'content-length');
      expect(length).toBe(seen === 'length' ? '0' : undefined);
    },
  );
});

describe('a body of unknown length', () => {
  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PROPFIND', 'M-SEARCH'])(
    'of %s is chunked at the upstream, so nothing in it can be taken for a request',
    async (method) => {
      const evil = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n';

      await tunnel.exchange(
        method,
        tunnel.head(
          `${method} /body HTTP/1.1`,
          ['Transfer-Encoding', 'chunked'],
          ['Connection', 'close'],
        ),
        `${evil.length.toString(16)}\r\n${evil}\r\n`,
        '0\r\n\r\n',
      );

      expect(tunnel.upstream.exchanges.items).toHaveLength(1);
      const seen = tunnel.upstream.exchanges.items[0]!.seen();
      expect(seen).toMatchObject({ framing: 'chunked', isComplete: true });
      expect(seen.body.toString()).toBe(evil);
    },
  );
});

import { once } from 'node:events';
import { createServer } from 'node:net';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { closedPort } from '../../support/network/listen.js';
import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import {
  respondOk,
  startScriptedUpstream,
  type ScriptedUpstream,
} from '../../support/upstreams/scripted-upstream.js';
import { upload } from '../../support/clients/upload.js';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');
const ROUTES = { PASS_THROUGH_ROUTES: '/*' };

const shared = sharedResources();
let upstream: ScriptedUpstream;
let relay: TestRelay;

beforeAll(async () => {
  upstream = shared(await startScriptedUpstream());
  relay = shared(await startRelay({ ...ROUTES, UPSTREAM: upstream.url }));
});

beforeEach(() => {
  upstream.exchanges.items.length = 0;
  upstream.follow(respondOk);
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HOST: Field = ['Host', 'api.example.com'];
const CLOSE: Field = ['Connection', 'close'];

const open = (startLine: string, ...fields: readonly Field[]) => {
  const client = forThisTest(openSocket(relay.port));
  client.write(headBytes(startLine, [HOST, ...fields]));
  return client;
};

const exchange = async (port: number, startLine: string, ...fields: readonly Field[]) => {
  const response = await exchangeBytes({
    port,
    method: startLine.split(' ')[0] ?? '',
    bytes: [headBytes(startLine, [HOST, ...fields, CLOSE])],
  });
  const [, code = '', forwarded = ''] =
    /"code":"(\w+)".*"forwarded":"(\w+)"/.exec(response.body.toString()) ?? [];
  return { ...response, text: `${statusOf(response.head!)} ${code} ${forwarded}`.trim() };
};

describe('a request without a token on a pass-through route', () => {
  it('carries no x-mte field to the upstream or to the client', async () => {
    upstream.follow(async ({ whole, write }) => {
      await whole;
      await write(
        'HTTP/1.1 200 OK\r\nX-MTE-Secret: 1\r\nx-mte-relay: 1\r\nContent-Length: 0\r\n\r\n',
      );
    });

    const { head } = await exchange(
      relay.port,
      'GET /x HTTP/1.1',
      ['X-MTE-Encode-Type', 'MKE'],
      ['x-mte-upstream', 'http://other.example'],
      ['X-Mte-Client-Id', 'someone'],
    );

    const names = [...head!.fields, ...upstream.exchanges.items[0]!.head.fields].map(([name]) =>
      name.toLowerCase(),
    );
    expect(names.filter((name) => name.startsWith('x-mte-'))).toEqual([]);
    expect(valueOf(upstream.exchanges.items[0]!.head.fields, 'host')).toBe(
      new URL(upstream.url).host,
    );
  });

  it('is streamed to the upstream: each chunk arrives before the next is sent', async () => {
    const client = open('PUT /up HTTP/1.1', ['Transfer-Encoding', 'chunked']);
    let expected = '';

    for (const piece of ['one', 'two', 'three']) {
      client.write(`${piece.length}\r\n${piece}\r\n`);
      expected += piece;
      const { seen, socket } = await upstream.exchanges.find();
      while (seen().body.toString() !== expected) {
        await once(socket, 'data');
      }
    }

    client.write('0\r\n\r\n');
    await client.until('ok');
  });

  it('stops while the upstream does not read', async () => {
    upstream.follow((exchange) => {
      if (!exchange.head.startLine.startsWith('PUT')) {
        return respondOk(exchange);
      }
      exchange.socket.pause();
      return exchange.whole.then(() => exchange.write(OK));
    });
    const client = open('PUT /up HTTP/1.1', ['Content-Length', String(128 * MIB)]);
    const sending = upload(client.socket, 128 * MIB);
    const { socket } = await upstream.exchanges.find();

    await standstill(() => sending.written);

    expect(sending.written).toBeLessThan(32 * MIB);
    socket.resume();
    expect(await sending.done).toBe(128 * MIB);
    await client.until('ok');
  });

  it('stops the upstream while the client does not read', async () => {
    let written = 0;
    upstream.follow(async (exchange) => {
      if (!exchange.head.startLine.startsWith('GET')) {
        return respondOk(exchange);
      }
      const { write } = exchange;
      await write(`HTTP/1.1 200 OK\r\nContent-Length: ${128 * MIB}\r\n\r\n`);
      for (; written < 128 * MIB; written += PIECE.length) {
        await write(PIECE);
      }
    });
    const client = open('GET /down HTTP/1.1');
    await client.until('xxxx');
    client.socket.pause();

    await standstill(() => written);

    expect(written).toBeLessThan(32 * MIB);
    client.socket.resume();
    while (written < 128 * MIB) {
      await once(client.socket, 'data');
    }
  });

  /** Resolves once `progress` has not changed during 20 other requests through the same relay. */
  async function standstill(progress: () => number): Promise<void> {
    let before = -1;
    while (before !== progress()) {
      before = progress();
      for (let count = 0; count < 20; count += 1) {
        const { text } = await exchange(relay.port, 'OPTIONS /other HTTP/1.1');
        expect(text).toBe('200');
      }
    }
  }

  it('results in a 502 with forwarded: no if the upstream is down', async () => {
    const port = await closedPort(createServer());
    const lonely = forThisTest(
      await startRelay({ ...ROUTES, UPSTREAM: `http://127.0.0.1:${port}` }),
    );

    const { text } = await exchange(lonely.port, 'GET /x HTTP/1.1');

    expect(text).toBe('502 RELAY_UPSTREAM_UNREACHABLE no');
  });

  it('results in a 504 if the upstream does not respond in time', async () => {
    const hasty = forThisTest(
      await startRelay({ ...ROUTES, UPSTREAM: upstream.url, RESPONSE_TIMEOUT_MS: '100' }),
    );
    upstream.follow(() => undefined);

    const { text } = await exchange(hasty.port, 'GET /x HTTP/1.1');

    expect(text).toBe('504 RELAY_UPSTREAM_TIMEOUT maybe');
    expect(upstream.exchanges.items).toHaveLength(1);
  });

  it('results in a 502 and is not retried if the upstream disconnects without a response', async () => {
    upstream.follow(({ socket }) => {
      socket.resetAndDestroy();
    });

    const { text } = await exchange(relay.port, 'GET /x HTTP/1.1');

    expect(text).toBe('502 RELAY_UPSTREAM_FAILED maybe');
    expect(upstream.exchanges.items).toHaveLength(1);
  });

  it('is served without the upgrade that it names if its connection field does not', async () => {
    const { text } = await exchange(relay.port, 'GET /x HTTP/1.1', ['Upgrade', 'websocket']);

    expect(text).toBe('200');
    expect(valueOf(upstream.exchanges.items[0]!.head.fields, 'upgrade')).toBeUndefined();
  });

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'is aborted at the upstream when the client disconnects (%s)',
    async (how) => {
      upstream.follow(() => undefined);
      const client = open('GET /x HTTP/1.1');
      await upstream.exchanges.find();

      client.socket[how]();

      await upstream.sockets.until(0);
    },
  );
});

describe('a pass-through route for all paths', () => {
  it.each([
    ['GET /health/live HTTP/1.1', '200'],
    ['GET /api/mte-echo HTTP/1.1', '200'],
    ['HEAD /api/mte-relay HTTP/1.1', '200'],
  ])('does not apply to the relay endpoint %s', async (startLine, status) => {
    const { text } = await exchange(relay.port, startLine);

    expect(text).toBe(status);
    expect(upstream.exchanges.items).toEqual([]);
  });

  it('does not apply to a request with a token, which goes into the tunnel', async () => {
    const { text } = await exchange(relay.port, 'GET /x HTTP/1.1', ['X-MTE-Outbound-Token', TOKEN]);

    expect(text).toBe('400 RELAY_UPSTREAM_HEADER_INVALID no');
    expect(upstream.exchanges.items).toEqual([]);
  });

  it('does not apply to a POST with a relay header, which goes into the tunnel', async () => {
    const { text } = await exchange(
      relay.port,
      'POST /x HTTP/1.1',
      ['X-MTE-Relay', '1'],
      ['Content-Length', '0'],
    );

    expect(text).toMatch(/^56[69]$/);
    expect(upstream.exchanges.items).toEqual([]);
  });
});

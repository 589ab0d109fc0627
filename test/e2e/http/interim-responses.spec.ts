import { setImmediate as nextTurn } from 'node:timers/promises';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startTap, type Tap } from '../../support/attackers/tap.js';
import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { statusOf } from '../../support/network/raw-http.js';
import { TOKEN } from '../../support/relays/relay.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { WAYS, sendOn } from '../../support/tunnels/ways.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const PROCESSING = 'HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n';
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n';

const INTERIM: readonly [what: string, octets: string][] = [
  ['100 Continue', CONTINUE],
  ['100 Continue of HTTP/1.0 without a reason phrase', 'HTTP/1.0 100 \r\nDate: x\r\n\r\n'],
  ['102 Processing', PROCESSING],
  ['103 Early Hints', EARLY_HINTS],
  ['199, which nobody has defined', 'HTTP/1.1 199 Other\r\n\r\n'],
  ['a hundred of them', (EARLY_HINTS + CONTINUE + PROCESSING + CONTINUE).repeat(25)],
];

const shared = sharedResources();
let tunnel: RawTunnel;
let tap: Tap;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
  tap = shared(await startTap(tunnel.inbound.port));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
});

describe.each(WAYS)('an interim response of the upstream that nobody asked for (%s)', (way) => {
  it.each(INTERIM)('is ignored: %s', async (_what, octets) => {
    tunnel.upstream.follow(async (exchange) => {
      await exchange.write(octets);
      await respondOk(exchange);
    });
    for (const [startLine, body] of [
      ['GET /x', ''],
      ['POST /x', 'body'],
    ] as const) {
      const fields = body === '' ? [] : [['Content-Length', String(body.length)] as const];
      const response = await sendOn(way, tunnel, startLine, fields, body);
      expect(statusOf(response.head!)).toBe(200);
      expect(response.body.toString()).toBe('ok');
      expect(response.informational).toEqual([]);
    }
    expect(tunnel.upstream.exchanges.items).toHaveLength(2);
  });

  it('is ignored if it arrives octet by octet', async () => {
    tunnel.upstream.follow(async ({ whole, write }) => {
      await whole;
      for (const octet of `${CONTINUE}${EARLY_HINTS}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`) {
        await write(octet);
        await nextTurn();
      }
    });
    expect((await sendOn(way, tunnel, 'GET /x')).body.toString()).toBe('ok');
  });

  it.each([
    ['101, which ends HTTP', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['101 with fields', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['#66 100 with a bare LF, behind which a response could hide', 'HTTP/1.1 100 Continue\n\n'],
    ['100 whose head never ends', `HTTP/1.1 100 Continue\r\n${'X: y\r\n'.repeat(20_000)}`],
  ])('results in a 502: %s', async (_what, octets) => {
    tunnel.upstream.follow(async (exchange) => {
      await exchange.write(octets);
      await respondOk(exchange);
    });
    const response = await sendOn(way, tunnel, 'GET /x');
    expect(statusOf(response.head!)).toBe(502);
    expect(response.body.toString()).toContain('"code":"RELAY_UPSTREAM_FAILED"');
  });
});

describe('an interim response of an intermediary between the relays', () => {
  it.each(INTERIM)('is ignored: %s', async (_what, octets) => {
    tunnel.upstream.follow(respondOk);
    forThisTest({
      close: () => {
        tap.alter(undefined);
        return Promise.resolve();
      },
    });
    tap.alter((chunk, from) =>
      from === 'far' && chunk.toString('latin1').startsWith('HTTP/1.1 200 ')
        ? Buffer.concat([Buffer.from(octets), chunk])
        : chunk,
    );
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': tap.url };

    for (const method of ['GET', 'POST']) {
      const response = await request(tunnel.outbound.url, {
        method,
        headers,
        ...(method === 'POST' ? { body: 'body' } : {}),
      });
      expect(response.status).toBe(200);
      expect(response.body.toString()).toBe('ok');
    }
    expect(tunnel.upstream.exchanges.items).toHaveLength(2);
  });
});

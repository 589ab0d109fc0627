import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { headBytes, statusOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { WAYS, sendOn } from '../../support/tunnels/ways.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

/**
 * The relays neither decode nor forward any coding except chunked. Without the field, the coded bytes would be taken for
 * the content.
 */
const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

const CLOSE: Field = ['Connection', 'close'];
const CODED: Field = ['Transfer-Encoding', 'gzip, chunked'];

describe('a transfer coding other than chunked', () => {
  it('is refused in a request, and nothing is forwarded', async () => {
    const response = await tunnel.exchange(
      'POST',
      tunnel.head('POST /x HTTP/1.1', CODED, CLOSE),
      '0\r\n\r\n',
    );

    expect([400, 501]).toContain(statusOf(response.head!));
    expect(response.body.toString()).toContain('"code":"RELAY_');
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });

  it.each(WAYS)('results in a 502 in a response (%s)', async (way) => {
    for (const coding of ['gzip, chunked', 'gzip', 'chunked, chunked', 'chunked, identity', 'x']) {
      tunnel.upstream.follow(async ({ socket, write }) => {
        await write(headBytes('HTTP/1.1 200 OK', [['Transfer-Encoding', coding]]));
        await write('4\r\nbody\r\n0\r\n\r\n');
        socket.end();
      });

      const response = await sendOn(way, tunnel, 'GET /x');

      expect([coding, statusOf(response.head!)]).toEqual([coding, 502]);
      expect(response.body.toString()).toContain('"code":"RELAY_UPSTREAM_FAILED"');
    }
    const line = await tunnel.inbound.log.find(({ error }) => error !== undefined);
    expect(JSON.stringify(line)).toContain('transfer coding');
  });
});

describe.each(WAYS)('Transfer-Encoding: identity, which means none, in a response (%s)', (way) => {
  it.each(['identity', 'Identity', 'identity, identity'])(
    'to a GET is dropped, and the body lasts until the connection ends: %s',
    async (coding) => {
      tunnel.upstream.follow(async ({ socket, write }) => {
        await write(headBytes('HTTP/1.1 200 OK', [['Transfer-Encoding', coding], CLOSE]));
        await write('4\r\nbody');
        socket.end();
      });

      const { head, body, isComplete } = await sendOn(way, tunnel, 'GET /x');

      expect(statusOf(head!)).toBe(200);
      expect(body.toString()).toBe('4\r\nbody');
      expect(isComplete).toBe(true);
      expect(head!.fields.flat().join()).not.toMatch(/identity/i);
    },
  );

  it.each([
    ['HEAD', '200 OK'],
    ['GET', '204 No Content'],
    ['GET', '304 Not Modified'],
  ])('to %s without a body is dropped: %s', async (method, status) => {
    tunnel.upstream.follow(({ write }) =>
      write(headBytes(`HTTP/1.1 ${status}`, [['Transfer-Encoding', 'identity']])),
    );

    const { head, isComplete } = await sendOn(way, tunnel, `${method} /x`);

    expect(statusOf(head!)).toBe(Number(status.slice(0, 3)));
    expect(isComplete).toBe(true);
  });

  it('before chunked is dropped, and the chunks are decoded', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write(headBytes('HTTP/1.1 200 OK', [['Transfer-Encoding', 'identity, chunked']]));
      await write('4\r\nbody\r\n0\r\n\r\n');
    });

    const { head, body } = await sendOn(way, tunnel, 'GET /x');

    expect(statusOf(head!)).toBe(200);
    expect(body.toString()).toBe('body');
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
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

  it.each(['tunnel', 'pass-through'])('results in a 502 in a response (%s)', async (way) => {
    tunnel.upstream.follow(async ({ write }) => {
      await write(headBytes('HTTP/1.1 200 OK', [CODED]));
      await write('4\r\nbody\r\n0\r\n\r\n');
    });

    const response =
      way === 'tunnel'
        ? await tunnel.exchange('GET', tunnel.head('GET /x HTTP/1.1', CLOSE))
        : await exchangeBytes({
            port: tunnel.inbound.port,
            method: 'GET',
            bytes: [headBytes('GET /x HTTP/1.1', [['Host', 'a'], CLOSE])],
          });

    expect(statusOf(response.head!)).toBe(502);
  });
});

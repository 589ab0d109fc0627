import { beforeAll, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

const CLOSE: Field = ['Connection', 'close'];

const WAYS = {
  MKE: () => tunnel.exchange('GET', tunnel.head('GET /x HTTP/1.1', CLOSE)),
  MTE: () =>
    tunnel.exchange('GET', tunnel.head('GET /x HTTP/1.1', ['X-MTE-Encode-Type', 'MTE'], CLOSE)),
  'pass-through': () =>
    exchangeBytes({
      port: tunnel.inbound.port,
      method: 'GET',
      bytes: [headBytes('GET /x HTTP/1.1', [['Host', 'a'], CLOSE])],
    }),
};

describe.each(Object.entries(WAYS).filter(([way]) => way !== 'MTE' || !IS_OVER_CHANNELS))(
  'a 304 (%s)',
  (_way, send) => {
    it('may give the length of the body it omits, and its connection serves the next request', async () => {
      tunnel.upstream.exchanges.items.length = 0;
      tunnel.upstream.follow(async ({ whole, write }) => {
        await whole;
        await write('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 4711\r\n\r\n');
      });

      for (let count = 0; count < 2; count += 1) {
        const { head, body, isComplete } = await send();

        expect(statusOf(head!)).toBe(304);
        expect(valueOf(head!.fields, 'content-length')).toBe('4711');
        expect(body).toHaveLength(0);
        expect(isComplete).toBe(true);
      }

      expect(tunnel.upstream.exchanges.items).toHaveLength(2);
    });
  },
);

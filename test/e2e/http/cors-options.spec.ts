import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';

const APP = 'https://app.example';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ both: { CORS_ORIGINS: APP } }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(async ({ whole, write }) => {
    await whole;
    await write('HTTP/1.1 200 OK\r\nAllow: GET, PROPFIND\r\nDAV: 1\r\nContent-Length: 0\r\n\r\n');
  });
});

describe('with CORS_ORIGINS', () => {
  it.each<[what: string, ...fields: Field[]]>([
    ['no CORS field'],
    ['only an origin', ['Origin', APP]],
    ['only the method field of a preflight', ['Access-Control-Request-Method', 'PUT']],
  ])('OPTIONS with %s is not a preflight and is forwarded', async (_what, ...fields) => {
    const response = await tunnel.exchange(
      'OPTIONS',
      tunnel.head('OPTIONS /dav HTTP/1.1', ...fields, ['Connection', 'close']),
    );

    expect(statusOf(response.head!)).toBe(200);
    expect(valueOf(response.head!.fields, 'dav')).toBe('1');
    expect(tunnel.upstream.exchanges.items).toHaveLength(1);
  });
});

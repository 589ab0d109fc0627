import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
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

describe('a request with hundreds of hop-by-hop fields', () => {
  const hops = Array.from({ length: 900 }, (): Field => ['TE', 'a']);

  it('keeps all fields that follow them', async () => {
    const { head } = await tunnel.exchange(
      'GET',
      tunnel.head('GET /x HTTP/1.1', ...hops, ['Range', 'bytes=0-1'], ['Connection', 'close']),
    );

    expect(statusOf(head!)).toBe(200);
    const [exchange] = tunnel.upstream.exchanges.items;
    expect(valueOf(exchange!.head.fields, 'range')).toBe('bytes=0-1');
  });

  it('is refused if it has more than 1,000 fields in all, instead of being forwarded without some', async () => {
    const others = Array.from({ length: 100 }, (): Field => ['X', 'a']);

    const { head } = await tunnel.exchange(
      'GET',
      tunnel.head('GET /x HTTP/1.1', ...hops, ...others, ['Connection', 'close']),
    );

    expect(statusOf(head!)).toBe(431);
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });

  it('is refused if more than 256 of them would be forwarded', async () => {
    const others = Array.from({ length: 257 }, (): Field => ['X', 'a']);

    const { head } = await tunnel.exchange(
      'GET',
      tunnel.head('GET /x HTTP/1.1', ...hops.slice(257), ...others, ['Connection', 'close']),
    );

    expect(statusOf(head!)).toBe(400);
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });
});

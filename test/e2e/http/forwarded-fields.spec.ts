import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

/** Fields in which proxies describe the client and themselves. */
const PROXY_FIELDS: readonly Field[] = [
  ['X-Forwarded-For', '192.0.2.1, 198.51.100.2'],
  ['X-Forwarded-For', '203.0.113.3'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'api.example.com'],
  ['X-Forwarded-Port', '443'],
  ['Forwarded', 'for=192.0.2.1;proto=https;by=_proxy'],
  ['X-Real-IP', '192.0.2.1'],
  ['Via', '1.1 proxy.example'],
];
const NAMES = new Set(PROXY_FIELDS.map(([name]) => name.toLowerCase()));
const CLOSE: Field = ['Connection', 'close'];

const throughTunnel = (fields: readonly Field[]) =>
  tunnel.exchange('GET', tunnel.head('GET /x HTTP/1.1', ...fields, CLOSE));

const passedThrough = (fields: readonly Field[]) =>
  exchangeBytes({
    port: tunnel.inbound.port,
    method: 'GET',
    bytes: [headBytes('GET /x HTTP/1.1', [['Host', 'api.example.com'], ...fields, CLOSE])],
  });

const proxyFieldsAtUpstream = (): Field[] =>
  tunnel.upstream.exchanges.items[0]!.head.fields.filter(([name]) => NAMES.has(name));

describe.each([
  ['the tunnel', throughTunnel],
  ['a pass-through route', passedThrough],
])('a request through %s', (_way, send) => {
  it('gains no field that describes the client or the relays', async () => {
    const response = await send([]);

    const names = tunnel.upstream.exchanges.items[0]!.head.fields.map(([name]) => name);
    expect(names).toEqual(['host', 'connection']);
    expect(response.head!.fields.map(([name]) => name.toLowerCase())).toEqual([
      'content-length',
      'connection',
    ]);
  });

  it('keeps the fields that the client and its proxies have added, line by line', async () => {
    await send(PROXY_FIELDS);

    expect(proxyFieldsAtUpstream()).toEqual(
      PROXY_FIELDS.map(([name, value]): Field => [name.toLowerCase(), value]),
    );
  });
});

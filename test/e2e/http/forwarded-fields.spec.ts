import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/raw-client.js';
import { headBytes, type Field } from '../../support/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/raw-tunnel.js';
import { sharedResources } from '../../support/resources.js';
import { respondOk } from '../../support/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

/** Fields by which proxies tell of the client and of themselves. */
const TOLD: readonly Field[] = [
  ['X-Forwarded-For', '192.0.2.1, 198.51.100.2'],
  ['X-Forwarded-For', '203.0.113.3'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'api.example.com'],
  ['X-Forwarded-Port', '443'],
  ['Forwarded', 'for=192.0.2.1;proto=https;by=_proxy'],
  ['X-Real-IP', '192.0.2.1'],
  ['Via', '1.1 proxy.example'],
];
const NAMES = new Set(TOLD.map(([name]) => name.toLowerCase()));
const CLOSE: Field = ['Connection', 'close'];

const throughTunnel = (fields: readonly Field[]) =>
  tunnel.exchange('GET', tunnel.head('GET /x HTTP/1.1', ...fields, CLOSE));

const passedThrough = (fields: readonly Field[]) =>
  exchangeBytes({
    port: tunnel.inbound.port,
    method: 'GET',
    bytes: [headBytes('GET /x HTTP/1.1', [['Host', 'api.example.com'], ...fields, CLOSE])],
  });

const toldUpstream = (): Field[] =>
  tunnel.upstream.exchanges.items[0]!.head.fields.filter(([name]) => NAMES.has(name));

describe.each([
  ['the tunnel', throughTunnel],
  ['a pass-through route', passedThrough],
])('on its way through %s a request', (_way, send) => {
  it('is told nothing about: no field on the client or the relays is added', async () => {
    const answer = await send([]);

    const names = tunnel.upstream.exchanges.items[0]!.head.fields.map(([name]) => name);
    expect(names).toEqual(['host', 'connection']);
    expect(answer.head!.fields.map(([name]) => name.toLowerCase())).toEqual([
      'content-length',
      'connection',
    ]);
  });

  it('keeps what the client and its proxies have told, line by line', async () => {
    await send(TOLD);

    expect(toldUpstream()).toEqual(TOLD.map(([name, value]): Field => [name.toLowerCase(), value]));
  });
});

import { beforeAll, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ both: { PASS_THROUGH_ROUTES: '/public/*' } }));
});

const CLOSE: Field = ['Connection', 'close'];

/** Sends a request without the host field that the clients of the tunnel usually send. */
const send = (startLine: string, fields: readonly Field[]) =>
  exchangeBytes({
    port: tunnel.outbound.port,
    method: 'GET',
    bytes: [headBytes(startLine, [...fields, CLOSE])],
  });

const ROUTES: readonly [route: string, startLine: string, fields: () => readonly Field[]][] = [
  ['the tunnel', 'GET /x HTTP/1.1', () => tunnel.fields.slice(1)],
  ['a pass-through route', 'GET /public/x HTTP/1.1', () => []],
  ['an endpoint of the relay', 'GET /api/mte-echo HTTP/1.1', () => []],
];

describe.each(ROUTES)('an HTTP/1.1 request to %s', (_route, startLine, fields) => {
  it.each<[what: string, hosts: Field[]]>([
    ['without a host', []],
    [
      'with two hosts',
      [
        ['Host', 'a'],
        ['Host', 'b'],
      ],
    ],
  ])('%s is refused with a 400 in the common error format', async (_what, hosts) => {
    const { head, body } = await send(startLine, [...hosts, ...fields()]);

    expect(statusOf(head!)).toBe(400);
    expect(valueOf(head!.fields, 'content-type')).toBe('application/json; charset=utf-8');
    expect(body.toString()).toMatch(/^\{"error":\{"code":"RELAY_(REQUEST|HEAD)_INVALID",/);
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });
});

describe.each(ROUTES.slice(0, 2))('an HTTP/1.1 request to %s', (_route, startLine, fields) => {
  it.each(['a b', 'user@a', 'a/b', 'a,b', 'a:0', 'a:65536', '[::1', 'b\xfccher'])(
    'with the host "%s" is refused with a 400, and nothing is sent',
    async (host) => {
      const { head, body } = await send(startLine, [['Host', host], ...fields()]);

      expect(statusOf(head!)).toBe(400);
      expect(JSON.parse(body.toString())).toMatchObject({
        error: { code: 'RELAY_HEAD_INVALID', forwarded: 'no' },
      });
      expect(tunnel.upstream.exchanges.items).toEqual([]);
    },
  );
});

import { PAIR_PATH, TUNNEL_PATH } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { TOKEN } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const MAX_FIELDS = 1_000;
/** What fits into a head that is just below the limit of 64 KiB. */
const LINES_OF_62_KIB = (62 * 1024) / 'a:\r\n'.length;

const shared = sharedResources();
let tunnel: Tunnel;
let peer: ProtocolClient;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ inbound: { PASS_THROUGH_ROUTES: '/open' } }));
  peer = await ProtocolClient.pair(tunnel.inbound.url);
});

beforeEach(() => {
  tunnel.upstream.forget();
});

/** A head with this many fields in all, most of which a relay does not forward. */
function headOf(startLine: string, fields: readonly string[], count: number): string {
  const own = ['host: a', 'connection: close', ...fields];
  const others = Array<string>(count - own.length).fill('te:');
  return [startLine, ...others, ...own, '', ''].join('\r\n');
}

async function send(port: number, head: string): Promise<string> {
  return (await exchangeRaw(port, head)).toString('latin1');
}

describe('#55 the fields of a head', () => {
  const routes: [string, 'inbound' | 'outbound', string, () => string[]][] = [
    [
      'of a client',
      'outbound',
      'GET / HTTP/1.1',
      () => [`x-mte-outbound-token: ${TOKEN}`, `x-mte-upstream: ${tunnel.inbound.url}`],
    ],
    ['for a pass-through route', 'inbound', 'GET /open HTTP/1.1', () => []],
    ['for a health check', 'inbound', 'GET /health/live HTTP/1.1', () => []],
  ];

  it.each(routes)('may be 1,000 in a request %s', async (_what, side, startLine, fields) => {
    const head = headOf(startLine, fields(), MAX_FIELDS);

    expect(await send(tunnel[side].port, head)).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ...routes,
    ['of a peer', 'inbound', `POST ${TUNNEL_PATH} HTTP/1.1`, () => fieldsOfMessage()],
    ['to pair', 'inbound', `POST ${PAIR_PATH} HTTP/1.1`, () => ['content-length: 0']],
  ] as typeof routes)(
    'cause a 431 and nothing else if they are 1,001 in a request %s',
    async (_what, side, startLine, fields) => {
      const head = headOf(startLine, fields(), MAX_FIELDS + 1);

      const response = await send(tunnel[side].port, head);

      expect(response).toMatch(/^HTTP\/1.1 431 [^]*"RELAY_REQUEST_TOO_LARGE"[^]*"forwarded":"no"/);
      expect(tunnel.upstream.hits).toBe(0);
    },
  );

  it('cause a 431 if they are as many as fit into a head, even if the token comes last', async () => {
    const head = headOf('GET / HTTP/1.1', routes[0]![3](), 20).replace(
      'te:\r\n',
      'a:\r\n'.repeat(LINES_OF_62_KIB),
    );

    const response = await send(tunnel.outbound.port, head);

    expect(response).toMatch(/^HTTP\/1.1 431 /);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

function fieldsOfMessage(): string[] {
  const { rawHeaders, body } = peer.seal();
  return [
    `${rawHeaders[0]}: ${rawHeaders[1]}`,
    `${rawHeaders[2]}: ${rawHeaders[3]}`,
    `content-length: ${body.length}`,
  ];
}

import { beforeAll, describe, expect, it } from 'vitest';

import { headBytes, type Field } from '../../support/network/raw-http.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

const WAYS: Readonly<Record<string, () => RawSocket>> = {
  'through the tunnel': () => {
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('GET /x HTTP/1.1'));
    return client;
  },
  'on a pass-through route': () => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes('GET /x HTTP/1.1', [['Host', 'a']]));
    return client;
  },
};

const FIELD: Field = ['x-latin', 'caf\xe9'];

describe.each(Object.entries(WAYS))('non-ASCII octets in a head (%s)', (_way, open) => {
  it('are unchanged if the head is sent before the body', async () => {
    tunnel.upstream.exchanges.items.length = 0;
    tunnel.upstream.follow(async ({ write }) => {
      await write(headBytes('HTTP/1.1 200 OK', [FIELD, ['Transfer-Encoding', 'chunked']]));
    });
    const client = open();
    await client.until('\r\n\r\n');

    const [exchange] = await tunnel.upstream.exchanges.count(1);
    await exchange!.write('4\r\nbody\r\n0\r\n\r\n');

    const response = (await client.until('0\r\n\r\n')).toString('latin1');
    expect(response).toContain('\r\nx-latin: caf\xe9\r\n');
  });
});

import { describe, expect, it } from 'vitest';

import { startAttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/**
 * A streamed message ends with an empty last record. An attacker who cuts or alters only that record leaves a body that
 * is exactly as long as its head states: forwarded as it arrives, it would be a complete request before the end of the
 * message has been verified.
 */
describe('#3 a request with a content-length whose last record is cut', () => {
  it.each([-21, -20, -1])('is never executed (cut at %i)', async (cut) => {
    const tunnel = forThisTest(await startAttackedTunnel());
    tunnel.attacker.interceptTunnel((request, deliver) =>
      deliver({ ...request, body: request.body.subarray(0, cut) }),
    );

    const response = await tunnel.send({
      method: 'POST',
      body: Buffer.alloc(150_000, 'request '),
    });

    expect(response.status).toBe(502);
    expect(await tunnel.executions()).toBe(0);
  });
});

describe('#28 a request that is one record longer than its head states', () => {
  it('is never executed', async () => {
    const tunnel = forThisTest(await startAttackedTunnel());
    const client = await ProtocolClient.pair(tunnel.inbound.url);
    const fields = ['content-length', '5'];

    await client.deliver(client.seal({ head: { fields }, body: ['01234', '56789'] }));

    await client.deliver(client.seal({ head: { path: '/next' } }));
    const [first] = tunnel.upstream.requests.items.filter(({ url }) => url !== '/next');
    expect(await first?.outcome).not.toBe('complete');
  });
});

import { describe, expect, it } from 'vitest';

import { startAttackedTunnel } from '../support/attacked-tunnel.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { forThisTest } from '../support/resources.js';

/**
 * A streamed message ends with an empty last record. Whoever cuts or spoils only that one has left a body behind it that
 * is as long as its head states: forwarded as it came, it would be a whole request before its end has been verified.
 */
describe('#3 a request with a length of which only the last record is cut', () => {
  it.each([-21, -20, -1])('(%i) is never executed', async (cut) => {
    const tunnel = forThisTest(await startAttackedTunnel());
    tunnel.middle.meddleWithTunnel((request, deliver) =>
      deliver({ ...request, body: request.body.subarray(0, cut) }),
    );

    const answer = await tunnel.send({
      method: 'POST',
      body: Buffer.alloc(150_000, 'request '),
    });

    expect(answer.status).toBe(502);
    expect(await tunnel.executions()).toBe(0);
  });
});

describe('#28 a request that is longer than its head states, by a record', () => {
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

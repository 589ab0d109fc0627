import { describe, expect, it } from 'vitest';

import { ShutdownState } from '../../apps/relay/src/lifecycle/shutdown-state.js';
import type { PassingRecord } from '../support/attackers/channel-path.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startChannelTunnel } from '../support/tunnels/channel-tunnel.js';

describe('#145 a stream that was reported as not forwarded', () => {
  it('is never forwarded, although the path delivers it behind the GOAWAY that it followed', async () => {
    const tunnel = forThisTest(
      await startChannelTunnel({ outbound: { CONNECT_TIMEOUT_MS: '1000' } }),
    );
    await tunnel.send({ path: '/before' });
    tunnel.upstream.forget();
    const held: PassingRecord[] = [];
    tunnel.path.attack((passing) => {
      if (passing.from === 'near') {
        held.push(passing);
        return [];
      }
      return [passing.record];
    });
    const response = tunnel.send({ method: 'POST', path: '/held', body: 'x' });
    await expect.poll(() => held.length).toBeGreaterThan(0);

    tunnel.inbound.app.get(ShutdownState, { strict: false }).begin();
    const { status, body } = await response;
    for (const { channel, record } of held.splice(0)) {
      channel.deliver(record, 'near');
    }
    tunnel.path.attack(undefined);

    expect(status).toBe(502);
    expect(body.toString()).toContain('"forwarded":"no"');
    await tunnel.inbound.log.find(({ msg }) => msg === 'channel ended' || msg === 'channel broke');
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#145 a request on a channel that an attacker cuts', () => {
  it.each([
    ['POST', 1, 502],
    ['GET', 2, 200],
  ])('%s runs at most %i times, and ends with %i', async (method, most, status) => {
    const tunnel = forThisTest(await startChannelTunnel());
    await tunnel.send({ path: '/before' });
    tunnel.upstream.forget();
    let cuts = 0;
    tunnel.upstream.handle((_request, response) => {
      if (cuts === 0) {
        cuts += 1;
        tunnel.path.openings.items.at(-1)?.channel.connection.cut();
        // The delay of a channel that broke soon after it was opened.
        tunnel.advance(1_000);
      }
      response.end('x');
    });

    const response = await tunnel.send({
      method,
      path: '/cut',
      ...(method === 'POST' && { body: 'x' }),
    });

    expect(response.status).toBe(status);
    expect(tunnel.upstream.hits).toBeLessThanOrEqual(most);
    expect(tunnel.upstream.hits).toBe(status === 502 ? 1 : 2);
  });
});

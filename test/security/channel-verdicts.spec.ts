import { describe, expect, it } from 'vitest';

import { ShutdownState } from '../../apps/relay/src/lifecycle/shutdown-state.js';
import type { PassingRecord } from '../support/attackers/channel-path.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startChannelTunnel } from '../support/tunnels/channel-tunnel.js';

describe('#84 a stream that was reported as not forwarded', () => {
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

describe('#84 a request on a channel that an attacker cuts', () => {
  it.each([
    ['POST', 1, 502],
    ['GET', 2, 200],
  ])('%s runs %i times, and ends with %i', async (method, times, status) => {
    const tunnel = forThisTest(await startChannelTunnel());
    await tunnel.send({ path: '/before' });
    tunnel.upstream.forget();
    let cuts = 0;
    tunnel.upstream.handle((_request, response) => {
      if (cuts === 0) {
        cuts += 1;
        tunnel.path.openings.items.at(-1)?.channel.connection.cut();
      }
      response.end('x');
    });

    // After a channel that broke so soon, the next one waits for a moment.
    const time = setInterval(() => {
      tunnel.advance(250);
    }, 250);
    const response = await tunnel.send({
      method,
      path: '/cut',
      ...(method === 'POST' && { body: 'x' }),
    });

    clearInterval(time);
    expect(response.status).toBe(status);
    expect(tunnel.upstream.hits).toBe(times);
  });
});

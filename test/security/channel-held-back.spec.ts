import { describe, expect, it } from 'vitest';

import type { PassingRecord } from '../support/attackers/channel-path.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { handMovedChecks } from '../support/time/hand-moved-checks.js';
import { startChannelTunnel, type ChannelTunnel } from '../support/tunnels/channel-tunnel.js';

/** More than any channel has that is held back. */
const LIMIT_SECONDS = 150;

/** A tunnel whose relays look at their channels once for each step of the time that the test lets pass. */
const started = async () => {
  const check = handMovedChecks();
  const tunnel = forThisTest(await startChannelTunnel());
  await tunnel.send({ path: '/before' });
  tunnel.upstream.forget();
  /** Lets time pass until `isOver`. @returns the seconds that have passed */
  const letTimePass = async (isOver: () => boolean): Promise<number> => {
    for (let seconds = 2.5; ; seconds += 2.5) {
      tunnel.advance(2_500);
      await check();
      if (isOver() || seconds > LIMIT_SECONDS) {
        return seconds;
      }
    }
  };
  return { ...tunnel, letTimePass };
};

const hasBroken = ({ inbound }: Pick<ChannelTunnel, 'inbound'>): boolean =>
  inbound.log.items.some(({ msg }) => msg === 'channel broke');

describe('#78 what an attacker holds back', { timeout: 240_000 }, () => {
  it.each(['the requests', 'everything'])('never takes effect after 30 s: %s', async (what) => {
    const tunnel = await started();
    const held: PassingRecord[] = [];
    tunnel.path.attack((passing) => {
      if (passing.from === 'near' || what === 'everything') {
        held.push(passing);
        return [];
      }
      return [passing.record];
    });
    const response = tunnel.send({ method: 'POST', path: '/held', body: 'x' });
    await expect.poll(() => held.length).toBeGreaterThan(0);

    const seconds = await tunnel.letTimePass(() => hasBroken(tunnel));
    for (const { channel, record, from } of held) {
      channel.deliver(record, from);
    }

    expect(seconds).toBeLessThanOrEqual(40);
    expect((await response).status).toBe(502);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('and passes one record at a time ends the channel in 80 s, although each is a sign of life', async () => {
    const tunnel = await started();
    const held: PassingRecord[] = [];
    tunnel.path.attack((passing) => {
      if (passing.from === 'near') {
        held.push(passing);
        return [];
      }
      return [passing.record];
    });
    const responses = Array.from({ length: 60 }, async (_each, at) => {
      await expect
        .poll(() => held.length, { timeout: 30_000, interval: 1 })
        .toBeGreaterThanOrEqual(at);
      const { status } = await tunnel.send({ method: 'POST', path: `/${at}`, body: 'x' });
      return status;
    });
    await expect.poll(() => held.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(60);

    const seconds = await tunnel.letTimePass(() => {
      const next = held.shift();
      next?.channel.deliver(next.record, 'near');
      return hasBroken(tunnel);
    });

    expect(seconds).toBeGreaterThan(31);
    expect(seconds).toBeLessThanOrEqual(95);
    const statuses = await Promise.all(responses);
    expect(statuses).toContain(502);
    expect(tunnel.upstream.hits).toBeLessThan(60);
  });
});

import { randomBytes } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { forgedAcceptance } from '../support/attackers/forged-acceptance.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { encodeWebSocketFrame } from '../support/protocol/web-socket-frames.js';
import { channelHoldings, NOTHING_HELD } from '../support/relays/channel-metrics.js';
import type { TestRelay } from '../support/relays/relay.js';
import { startChannelTunnel, type ChannelTunnel } from '../support/tunnels/channel-tunnel.js';

/** Each of them would cause an opening, were there no delay between openings. */
const REQUESTS = 100;

const start = async (): Promise<ChannelTunnel> =>
  forThisTest(
    await startChannelTunnel({
      outbound: { TUNNEL_TRANSPORT: 'auto' },
      inbound: { TUNNEL_TRANSPORT: 'auto' },
    }),
  );

const WARN = 40;

const warningsOf = ({ log }: TestRelay) =>
  log.items.filter((line) => line.msg === 'requests go as messages' && line['level'] === WARN);

/** Sends requests one after the other. @returns the statuses of the responses */
async function keepAsking(tunnel: ChannelTunnel): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < REQUESTS) {
    const { status } = await tunnel.send({ method: 'POST', path: '/', body: 'x' });
    statuses.push(status);
    await after(10);
  }
  return statuses;
}

describe('#76 a path that carries no channels', () => {
  it('because it strips the upgrade: messages go on, and the operator is told once', async () => {
    const tunnel = await start();
    tunnel.path.attackOpenings((head) =>
      Buffer.from(
        head.toString('latin1').replace(/^(?:upgrade|connection): .*\r\n/gim, ''),
        'latin1',
      ),
    );

    const statuses = await keepAsking(tunnel);

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(tunnel.path.openings.items).toHaveLength(1);
    expect(warningsOf(tunnel.outbound)).toHaveLength(1);
    expect(tunnel.upstream.hits).toBe(statuses.length);
  });

  it.each([
    ['sends garbage', encodeWebSocketFrame(randomBytes(100), false)],
    ['closes the WebSocket', encodeWebSocketFrame(Buffer.of(0x03, 0xe8), false, { opcode: 8 })],
  ])('because it accepts openings itself and %s: messages go on', async (_what, bytes) => {
    const tunnel = await start();
    tunnel.path.attackOpenings(() => undefined);
    const answered = new Set<unknown>();
    const answer = setInterval(() => {
      for (const { head, channel } of tunnel.path.openings.items) {
        if (!answered.has(channel)) {
          answered.add(channel);
          channel.connection.near.write(Buffer.concat([forgedAcceptance(head), bytes]));
        }
      }
    }, 5);

    const statuses = await keepAsking(tunnel);
    clearInterval(answer);

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(tunnel.path.openings.items.length).toBeLessThanOrEqual(2);
    expect(warningsOf(tunnel.outbound)).toHaveLength(1);
    expect(await channelHoldings(tunnel.outbound, 'outbound')).toEqual(NOTHING_HELD);
  });

  it('because it cuts each as soon as it is open: messages go on, and openings become rare', async () => {
    const tunnel = await start();
    tunnel.path.attack(({ record, from, index, channel }) => {
      if (from === 'far' && index === 0) {
        setImmediate(() => {
          channel.connection.cut();
        });
      }
      return [record];
    });

    const statuses = await keepAsking(tunnel);

    // A request that had gone over a channel before it was cut may have run, and is not sent again.
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(statuses.length / 2);
    expect(new Set([...statuses, 200, 502])).toEqual(new Set([200, 502]));
    expect(tunnel.path.openings.items.length).toBeLessThanOrEqual(12);
  });
});

describe('#76 a path that delays the answer to an opening', () => {
  it(
    'is given up after 5 s, however often it sends a part of it',
    { timeout: 30_000 },
    async () => {
      const tunnel = await start();
      tunnel.path.attackOpenings(() => undefined);
      const trickle = setInterval(() => {
        for (const { channel } of tunnel.path.openings.items) {
          channel.connection.near.write('HTTP/1.1 100 Continue\r\n\r\n');
        }
      }, 500);
      await tunnel.send({ path: '/' });
      const { channel } = await tunnel.path.openings.find();
      const closed = new Promise<number>((resolve) => {
        const begun = performance.now();
        channel.connection.near.once('close', () => {
          resolve(performance.now() - begun);
        });
      });

      expect(await closed).toBeLessThan(15_000);
      clearInterval(trickle);
      expect((await tunnel.send({ path: '/' })).status).toBe(200);
    },
  );
});

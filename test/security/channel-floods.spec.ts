import { beforeAll, describe, expect, it } from 'vitest';

import type { ChannelAttacker } from '../support/attackers/channel-attacker.js';
import { collectGarbage } from '../support/lifecycle/collect-garbage.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import {
  ACK,
  Code,
  END,
  Type,
  dataFrame,
  headersFrame,
  pingFrame,
  resetFrame,
} from '../support/protocol/channel-frames.js';
import { channelHoldings } from '../support/relays/channel-metrics.js';
import {
  BUFFER_BYTES,
  GONE,
  PLACES,
  startFloodedTunnel,
  type FloodedTunnel,
} from '../support/tunnels/flooded-tunnel.js';

const shared = sharedResources();
let flooded: FloodedTunnel;

beforeAll(async () => {
  flooded = shared(await startFloodedTunnel());
});

describe('#80 streams that are opened and reset in a loop', () => {
  it('never occupy more than the places of the relay, and are all gone at once', async () => {
    const attacker = await flooded.open();
    flooded.atApi.most = 0;
    for (let at = 0; at < 5_000; at += 1) {
      const stream = 2 * at + 1;
      attacker.send(headersFrame(stream, { path: '/silent' }));
      attacker.send(resetFrame(stream));
      if (at % 50 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    attacker.send(
      headersFrame(10_001, { method: 'POST', path: '/last' }, 0),
      dataFrame(10_001, 'x', END),
    );
    await attacker.frames.find(
      ({ stream, type }) => stream === 10_001 && type !== Type.WINDOW_UPDATE,
    );

    expect(flooded.atApi.most).toBeLessThanOrEqual(PLACES);
    await flooded.expectUnharmed(attacker);
  });

  it('are refused beyond the limit of a channel, and never reach the API', async () => {
    const attacker = await flooded.open();
    const before = flooded.tunnel.upstream.hits;
    attacker.send(
      ...Array.from({ length: 300 }, (_each, at) => headersFrame(2 * at + 1, { path: '/silent' })),
    );
    // On a slow machine the relay also asks with PING whether the peer is there.
    const answers = () => attacker.frames.items.filter(({ type }) => type !== Type.PING);
    await expect.poll(() => answers().length).toBeGreaterThanOrEqual(300 - PLACES);

    const codes = answers().map(({ type, payload }) => [type, payload.readUInt32BE()]);
    expect(codes).toEqual(codes.map(() => [Type.RST_STREAM, Code.REFUSED]));
    await expect.poll(() => flooded.tunnel.upstream.hits - before).toBe(PLACES);
    await attacker.close();
    await expect.poll(() => flooded.atApi.now, GONE).toBe(0);
    await flooded.expectUnharmed();
  });
});

const gone = (): number =>
  flooded.tunnel.inbound.log.items.filter(({ code }) => code === 'RELAY_PEER_GONE').length;

describe('#82 a peer that takes nothing', () => {
  it.each([
    ['grants nothing', (attacker: ChannelAttacker) => attacker],
    [
      'does not read',
      (attacker: ChannelAttacker) => {
        attacker.stopReading();
      },
    ],
  ])(
    'and %s loses its streams after IDLE_TIMEOUT_MS, although it goes on sending',
    async (_what, misbehave) => {
      const attacker = await flooded.open();
      misbehave(attacker);
      const before = gone();
      for (let at = 0; at < 8; at += 1) {
        attacker.send(headersFrame(2 * at + 1, { path: '/large' }));
      }
      const noise = setInterval(() => {
        attacker.send(pingFrame(Buffer.alloc(8), ACK));
      }, 200);
      await expect
        .poll(async () => (await channelHoldings(flooded.tunnel.inbound)).streams)
        .toBe(8);
      await expect.poll(() => gone() - before, GONE).toBe(8);
      clearInterval(noise);
      await flooded.expectUnharmed(attacker);
    },
  );
});

describe('#83 an API that does not read', () => {
  it('what waits for it stays below CHANNEL_BUFFER_BYTES, and only what stalls is ended', async () => {
    const attacker = await flooded.open();
    const streams = Array.from({ length: 12 }, (_each, at) => 2 * at + 1);
    const sent = new Map<number, number>();
    attacker.send(
      ...streams.map((stream) => headersFrame(stream, { method: 'POST', path: '/unread' }, 0)),
    );
    let most = 0;
    for (let round = 0; round < 4; round += 1) {
      for (const stream of streams) {
        attacker.send(dataFrame(stream, Buffer.alloc(60_000)));
        sent.set(stream, (sent.get(stream) ?? 0) + 60_000);
      }
      most = Math.max(most, (await channelHoldings(flooded.tunnel.inbound)).waitingBytes);
    }
    expect(most).toBeLessThanOrEqual(BUFFER_BYTES);
    await flooded.expectUnharmed(attacker);
  });

  it('tiny DATA of 1 octet each take no more memory than they are long', async () => {
    const attacker = await flooded.open();
    attacker.send(headersFrame(1, { method: 'POST', path: '/unread' }, 0));
    collectGarbage();
    const before = process.memoryUsage();
    const filler = dataFrame(3, Buffer.alloc(60_000));
    attacker.send(headersFrame(3, { method: 'POST', path: '/unread' }, 0), resetFrame(3));
    for (let count = 0; count < 2_000; count += 1) {
      attacker.send(dataFrame(1, 'x'), filler);
      if (count % 20 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    attacker.send(pingFrame(Buffer.alloc(8, 7)));
    await attacker.frames.find(({ type, flags }) => type === Type.PING && flags === ACK);
    collectGarbage();
    const { arrayBuffers } = process.memoryUsage();
    // 2,000 records of 60,000 octets, of which each octet would keep one.
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(60 * 2 ** 20);
    await flooded.expectUnharmed(attacker);
  });
});

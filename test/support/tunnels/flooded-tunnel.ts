import { expect } from 'vitest';

import { ChannelAttacker } from '../attackers/channel-attacker.js';
import { ProtocolClient } from '../attackers/protocol-client.js';
import { forThisTest } from '../lifecycle/resources.js';
import { channelHoldings, NOTHING_HELD } from '../relays/channel-metrics.js';
import { echoBody } from '../upstreams/upstream.js';
import { startTunnel, type Tunnel } from './tunnel.js';

/** Requests that the API may be sent at once, channels of a peer, and octets that may wait for slow consumers. */
export const PLACES = 16;
export const CHANNELS = 4;
export const BUFFER_BYTES = 1_048_576;
/** Longer than the closing handshake of a peer that does not take part in it. */
export const GONE = { timeout: 30_000 };

/** A tunnel with small limits, an honest client, and a peer that holds the secret and attacks by channels. */
export interface FloodedTunnel {
  readonly tunnel: Tunnel;
  readonly peer: ProtocolClient;
  /** Requests that the API is working on now, and the most that there ever were. */
  readonly atApi: { now: number; most: number };
  /** Opens a channel of the attacker for this test. */
  open(settings?: Buffer | 'none'): Promise<ChannelAttacker>;
  /** Other peers are served, and once these have gone, nothing is left of the attack. */
  expectUnharmed(...attackers: readonly ChannelAttacker[]): Promise<void>;
  close(): Promise<void>;
}

export async function startFloodedTunnel(): Promise<FloodedTunnel> {
  const atApi = { now: 0, most: 0 };
  const tunnel = await startTunnel({
    handler: async (request, response) => {
      if (request.url.startsWith('/unread')) {
        // Whoever does not read does not notice either that nobody is there any more.
        return;
      }
      atApi.now += 1;
      atApi.most = Math.max(atApi.most, atApi.now);
      response.once('close', () => {
        atApi.now -= 1;
      });
      if (request.url.startsWith('/large')) {
        response.end(Buffer.alloc(1_000_000));
      } else if (!request.url.startsWith('/silent')) {
        await echoBody(request, response);
      }
    },
    outbound: { TUNNEL_TRANSPORT: 'message' },
    inbound: {
      TUNNEL_TRANSPORT: 'auto',
      MAX_CHANNELS_PER_PEER: String(CHANNELS),
      ADMIN_PORT: '0',
      MAX_CONCURRENT_REQUESTS: String(PLACES),
      CHANNEL_BUFFER_BYTES: String(BUFFER_BYTES),
      IDLE_TIMEOUT_MS: '2000',
    },
  });
  const peer = await ProtocolClient.pair(tunnel.inbound.url);
  return {
    tunnel,
    peer,
    atApi,
    open: async (settings) =>
      forThisTest(await ChannelAttacker.open(peer, tunnel.inbound.port, settings)),
    expectUnharmed: async (...attackers) => {
      const spec = { method: 'POST', path: '/honest', body: 'honest' };
      const { status, body } = await tunnel.send(spec);
      expect([status, body.toString()]).toEqual([200, 'honest']);
      await Promise.all(attackers.map((attacker) => attacker.close()));
      await expect.poll(() => channelHoldings(tunnel.inbound), GONE).toEqual(NOTHING_HELD);
      await expect.poll(() => atApi.now, GONE).toBe(0);
    },
    close: () => tunnel.close(),
  };
}

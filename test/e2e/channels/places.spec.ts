import { randomBytes } from 'node:crypto';

import { describe, expect, it, vi } from 'vitest';

import { ChannelReports } from '../../../apps/relay/src/channels/channel-reports.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import type { TestRelay } from '../../support/relays/relay.js';
import { startTunnel } from '../../support/tunnels/tunnel.js';

const streamsOf = ({ app }: TestRelay): number => app.get(ChannelReports).summary().streams;

describe('requests that wait for a channel', () => {
  it('each take a place of their own, however many wait for the same one', async () => {
    const tunnel = forThisTest(
      await startTunnel({
        both: {
          TUNNEL_TRANSPORT: 'channel',
          CHANNELS_PER_PEER: '1',
          MAX_CHANNELS_PER_PEER: '1',
          CONNECT_TIMEOUT_MS: '60000',
        },
      }),
    );
    const statuses = await Promise.all(
      Array.from({ length: 600 }, async () => (await tunnel.send()).status),
    );
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });
});

describe('a stream whose octets were discarded, because the API does not read them,', () => {
  it('gives its place back at both relays', async () => {
    const tunnel = forThisTest(
      await startTunnel({
        both: { TUNNEL_TRANSPORT: 'channel', CHANNEL_BUFFER_BYTES: '1048576' },
        handler: (request, response) => {
          request.message.pause();
          response.on('error', () => undefined);
        },
      }),
    );
    // More than what waits in the sockets and windows of one request.
    const body = randomBytes(1_000_000);
    const sent = Promise.all(
      Array.from({ length: 24 }, () => tunnel.send({ method: 'POST', body })),
    );
    await tunnel.inbound.log.find(({ code }) => code === 'RELAY_UPSTREAM_STALLED');
    // The streams that were not discarded end with the API.
    await tunnel.upstream.close();
    await sent;
    await vi.waitFor(
      () => {
        expect([streamsOf(tunnel.outbound), streamsOf(tunnel.inbound)]).toEqual([0, 0]);
      },
      { timeout: 40_000, interval: 50 },
    );
  });
});

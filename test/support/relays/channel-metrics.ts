import { samplesOf } from './admin.js';
import type { TestRelay } from './relay.js';

/** What a relay holds because of channels. */
export interface ChannelHoldings {
  readonly channels: number;
  readonly streams: number;
  readonly waitingBytes: number;
}

/** What nothing leaves behind. */
export const NOTHING_HELD: ChannelHoldings = { channels: 0, streams: 0, waitingBytes: 0 };

/** What a relay holds because of channels now, by its metrics. It needs ADMIN_PORT. */
export async function channelHoldings(
  relay: TestRelay,
  role: 'inbound' | 'outbound' = 'inbound',
): Promise<ChannelHoldings> {
  const samples = await samplesOf(relay);
  const inState = (state: string): number =>
    samples.get(`mte_relay_channels{role="${role}",state="${state}"}`) ?? NaN;
  return {
    channels: inState('open') + inState('draining'),
    streams: samples.get(`mte_relay_channel_streams{role="${role}"}`) ?? NaN,
    waitingBytes: samples.get('mte_relay_channel_waiting_bytes') ?? NaN,
  };
}

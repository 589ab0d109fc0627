import { expect } from 'vitest';

import type { Fleet } from '../processes/fleet.js';
import type { RelayProcess } from '../processes/relay-process.js';

/** A delay between openings of at most 30 s, with its jitter, and a generous margin. */
const USUAL_LIMIT_MS = 60_000;
/** CHANNELS_PER_PEER, as it is by default. */
const CHANNELS_PER_PEER = 2;

/** Waits until every outbound relay has as many channels as it keeps, the inbound ones see the same, and no stream is left. */
export async function expectUsualChannels(fleet: Fleet): Promise<void> {
  const channels = fleet.outbound.length * CHANNELS_PER_PEER;
  await expect
    .poll(() => fleet.channels(), { timeout: USUAL_LIMIT_MS, interval: 250 })
    .toEqual({ outbound: channels, inbound: channels, streams: 0 });
}

/** How many channels have been opened to this process. */
export function channelsOpenedTo({ log }: RelayProcess): number {
  return log.items.filter(({ msg, role }) => msg === 'channel opened' && role === 'inbound').length;
}

import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { channelsToKeep, hasRoomToDrain } from './channel-numbers.js';

const limits = (kept: number, most: number) =>
  relayConfig({ CHANNELS_PER_PEER: String(kept), MAX_CHANNELS_PER_PEER: String(most) });

describe('the channels that are kept to a peer', () => {
  it('are CHANNELS_PER_PEER, or MAX_CHANNELS_PER_PEER if that is smaller', () => {
    expect(channelsToKeep(limits(2, 16))).toBe(2);
    expect(channelsToKeep(limits(2, 1))).toBe(1);
  });
});

describe('channels that drain', () => {
  it('leave places for two generations of those that are kept', () => {
    expect(hasRoomToDrain(limits(2, 16), 11)).toBe(true);
    expect(hasRoomToDrain(limits(2, 16), 12)).toBe(false);
  });

  it('are not limited if there are too few places for that', () => {
    expect(hasRoomToDrain(limits(2, 2), 5)).toBe(true);
  });
});

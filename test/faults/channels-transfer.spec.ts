import { describe, expect, it } from 'vitest';

import { bothWays } from '../support/assertions/both-ways-at-once.js';
import { isSlow } from '../support/lifecycle/property.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { Transfer } from '../support/upstreams/both-ways-transfer.js';

const MIB = 1024 * 1024;
const TRANSFER = new Transfer((isSlow ? 2_048 : 256) * MIB);
/**
 * Next to other tests, a relay that gets too little CPU time collects its garbage later, and uses
 * more memory; but one that kept a body would need all of its 256 MiB above what it has at rest.
 */
const MAX_RESIDENT_MIB = isSlow ? 200 : 320;
/** Generous: the machine may be busy. */
const LIMIT_MS = 15 * 60_000;

describe('large bodies up and down at the same time, over one channel', () => {
  it(
    `arrive unchanged, and no relay ever has more than ${MAX_RESIDENT_MIB} MiB resident`,
    async () => {
      const tunnel = forThisTest(
        await startProcessTunnel(TRANSFER.handler, {
          TUNNEL_TRANSPORT: 'channel',
          CHANNELS_PER_PEER: '1',
          MAX_CHANNELS_PER_PEER: '1',
        }),
      );

      const { up, down, peakBytes } = await bothWays(tunnel, TRANSFER);

      expect(up).toEqual(TRANSFER.whole);
      expect(down).toEqual(TRANSFER.whole);
      expect(peakBytes).toBeLessThan(MAX_RESIDENT_MIB * MIB);
      const opened = tunnel.outbound.log.items.filter(({ msg }) => msg === 'channel opened');
      expect(opened).toHaveLength(1);
    },
    LIMIT_MS,
  );
});

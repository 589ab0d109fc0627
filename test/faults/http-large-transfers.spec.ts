import { beforeAll, describe, expect, it } from 'vitest';

import { isSlow } from '../support/lifecycle/property.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { bothWays } from '../support/assertions/both-ways-at-once.js';
import { Transfer } from '../support/upstreams/both-ways-transfer.js';

const MIB = 1024 * 1024;
const TRANSFER = new Transfer(2 * 1024 * MIB);
const MAX_RESIDENT_BYTES = 200 * MIB;
/** Generous: the machine may be busy. */
const LIMIT_MS = 15 * 60_000;

const shared = sharedResources();
let tunnel: ProcessTunnel;

beforeAll(async () => {
  if (isSlow) {
    tunnel = shared(await startProcessTunnel(TRANSFER.handler));
  }
});

/** Next to other tests, a relay that gets too little CPU time uses more memory: this one runs alone, with SLOW=1. */
describe.runIf(isSlow)('2 GiB up and 2 GiB down at the same time', () => {
  it(
    'arrive unchanged, and no relay ever has more than 200 MiB resident',
    async () => {
      const { up, down, peakBytes } = await bothWays(tunnel, TRANSFER);

      expect(up).toEqual(TRANSFER.whole);
      expect(down).toEqual(TRANSFER.whole);
      expect(peakBytes).toBeLessThan(MAX_RESIDENT_BYTES);
    },
    LIMIT_MS,
  );
});

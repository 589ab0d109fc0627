import { describe, expect, it, vi } from 'vitest';

import type { ClientUpgrade } from '../client/client-upgrade.js';
import { UpgradeForwarding, type UpgradeContext } from './upgrade-forwarding.js';

describe('a channel for an upgraded connection', () => {
  it('is ended if it takes no stream by the time it is open', async () => {
    const finish = vi.fn();
    const context = {
      record: {},
      config: {},
      channels: { open: () => Promise.resolve({ hasPlace: false, finish }) },
    } as unknown as UpgradeContext;
    const client = {
      readBody: () => Promise.resolve(Buffer.alloc(0)),
    } as unknown as ClientUpgrade;
    await expect(new UpgradeForwarding(context, client).run()).rejects.toMatchObject({
      code: 'RELAY_PEER_CONNECTION_LOST',
      forwarded: 'no',
    });
    expect(finish).toHaveBeenCalledOnce();
  });
});

import { RelayName } from '@relay/signature';
import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { DirectoryService } from './directory.service.js';

const { directory: entries } = relayConfig();
const changed = { ...entries, clients: [] };

const begin = (): Promise<DirectoryService> =>
  DirectoryService.begin(entries, new RelayName('relay-of-the-test'));

describe('a directory that is replaced', () => {
  it('is known to all listeners as the current one, and keeps what has not changed', async () => {
    const directory = await begin();
    const { peers, tenants } = directory.current;
    const seen: unknown[] = [];
    directory.onChange(() => seen.push(directory.current.entries.clients));

    expect(await directory.replace(changed)).toBe(true);
    expect(await directory.replace({ ...changed })).toBe(false);

    expect(seen).toEqual([[]]);
    expect(directory.current.peers[0]).toBe(peers[0]);
    expect(directory.current.tenants.entries[0]).toBe(tenants.entries[0]);
  });

  it('stays the previous one for everybody if one listener cannot use the next', async () => {
    const directory = await begin();
    const before = directory.current;
    const seen: unknown[] = [];
    directory.onChange(() => seen.push(directory.current.entries.clients.length));
    let isBroken = true;
    directory.onChange(() => {
      if (isBroken && directory.current !== before) {
        throw new Error('a file is gone');
      }
    });

    await expect(directory.replace(changed)).rejects.toThrow('a file is gone');
    expect(directory.current).toBe(before);
    expect(seen).toEqual([0, 1]);

    isBroken = false;
    expect(await directory.replace(changed)).toBe(true);
    expect(seen).toEqual([0, 1, 0]);
  });
});

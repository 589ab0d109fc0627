import { setImmediate as nextTurn } from 'node:timers/promises';

import { Deferred, type JoinedEnds } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { UpgradedConnections } from './upgraded-connections.js';

describe('the upgraded connections of a process', () => {
  it('are waited for before it ends', async () => {
    const connections = new UpgradedConnections();
    const ended = new Deferred<void>();
    const connection = { over: ended.promise } as unknown as JoinedEnds;
    connections.add('inbound', connection, {
      grant: undefined,
      peerName: undefined,
      tenant: undefined,
    });
    let isOver = false;
    const over = connections.onApplicationShutdown().then(() => (isOver = true));
    await nextTurn();
    expect(isOver).toBe(false);
    ended.resolve();
    await over;
    expect(connections.count()).toBe(0);
  });
});

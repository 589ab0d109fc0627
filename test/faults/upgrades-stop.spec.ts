import { describe, expect, it } from 'vitest';

import { openRaw, openWebSocket, openWebSockets } from '../support/clients/upgrade-clients.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startUpgradeProcesses } from '../support/tunnels/upgrade-processes.js';

/** The longest that is allowed: a relay that waits for it fails its test. */
const NEVER = { SHUTDOWN_TIMEOUT_MS: '600000' };
const SOON = { SHUTDOWN_TIMEOUT_MS: '500' };
const CUT_OFF = '5 upgraded connections were cut off by SHUTDOWN_TIMEOUT_MS';

const start = async (limit: Readonly<Record<string, string>>) => {
  const relays = forThisTest(await startUpgradeProcesses({ both: limit }));
  const { outbound, clientHeaders } = relays;
  return {
    ...relays,
    open: async () => forThisTest(await openWebSocket(outbound.url, clientHeaders)),
    raw: async () => forThisTest(await openRaw(outbound, clientHeaders)),
  };
};

describe.each(['outbound', 'inbound'] as const)('an %s relay that is stopped', (role) => {
  it('resets its upgraded connections after SHUTDOWN_TIMEOUT_MS, says how many, and exits with code 0', async () => {
    const relays = await start(SOON);
    const webSockets = await openWebSockets(4, relays.open);
    const raw = await relays.raw();
    const relay = relays[role];

    const ended = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    // Until then they go on.
    expect(await webSockets[0]!.echo('still there')).toBe('still there');

    const ends = await Promise.all(webSockets.map(({ ended: end }) => end));
    expect(ends.map(({ code }) => code)).toEqual([1006, 1006, 1006, 1006]);
    expect(await raw.ended).toBe('reset');
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
    const messages = relay.log.items.map(({ msg }) => msg);
    expect(messages.filter((msg) => msg.includes('cut off'))).toEqual([CUT_OFF]);
    expect(messages.at(-1)).toBe('stopped');
    await relays.upstream.sockets.until(0);
  });

  it('exits at once when the last of them ends before that', async () => {
    const relays = await start(NEVER);
    const webSockets = await openWebSockets(5, relays.open);
    const relay = relays[role];

    const ended = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    for (const { socket, ended: end } of webSockets) {
      socket.send('close 1001 later');
      expect(await end).toEqual({ code: 1001, reason: 'later' });
    }

    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(relay.log.items.filter(({ msg }) => msg.includes('cut off'))).toEqual([]);
  });
});

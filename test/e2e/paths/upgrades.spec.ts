import { describe, expect, it } from 'vitest';

import { openRaw, openWebSocket, openWebSockets } from '../../support/clients/upgrade-clients.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  CHANNEL_PROGRAMS,
  hasIntermediary,
  startIntermediary,
  type Program,
} from '../../support/network/intermediaries.js';
import { startRelay } from '../../support/relays/relay.js';
import { UPGRADES } from '../../support/tunnels/upgrade-processes.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import {
  FAREWELL,
  closeCodeOf,
  startUpgradeUpstream,
} from '../../support/upstreams/upgrade-upstream.js';

const WEB_SOCKETS = 20;
const LARGE = 'x'.repeat(1_000_000);

/** Two relays with a program between them. */
async function startPath(program: Program, adjust?: (block: string) => string) {
  const upstream = forThisTest(await startUpgradeUpstream());
  const inbound = forThisTest(await startRelay({ ...UPGRADES, UPSTREAM: upstream.url }));
  const path = forThisTest(await startIntermediary(program, inbound.port, adjust));
  // Ends before the program does: Apache waits for the ends of what it carries.
  const outbound = forThisTest(await startRelay(UPGRADES));
  const { clientHeaders } = tunnelClient(outbound.url, path.url);
  return {
    upstream,
    outbound,
    webSocket: async () => forThisTest(await openWebSocket(outbound.url, clientHeaders)),
    raw: async () => forThisTest(await openRaw(outbound, clientHeaders)),
  };
}

describe.each(CHANNEL_PROGRAMS)('%s between the relays, as docs/deployment.md says,', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere)('carries WebSockets, and their ends', async () => {
    const { upstream, webSocket } = await startPath(program);

    const clients = await openWebSockets(WEB_SOCKETS, webSocket);
    for (const message of ['small', LARGE]) {
      const echoed = await Promise.all(clients.map(({ echo }, at) => echo(`${at} ${message}`)));
      expect(echoed.every((text, at) => text === `${at} ${message}`)).toBe(true);
    }

    const [first, second, third] = clients;
    first!.socket.send('close 4000 enough');
    expect(await first!.ended).toEqual({ code: 4000, reason: 'enough' });
    await upstream.sockets.until(WEB_SOCKETS - 1);
    const left = upstream.webSockets.items.filter(({ readyState, OPEN }) => readyState === OPEN);
    const ended = Promise.race(left.map(closeCodeOf));
    second!.socket.terminate();
    expect(await ended).toBe(1006);
    expect(await third!.echo('still there')).toBe('still there');
    await upstream.sockets.until(WEB_SOCKETS - 2);
  });

  it.skipIf(!isThere)('carries raw connections, one direction after the other', async () => {
    const { upstream, raw } = await startPath(program);
    const client = await raw();
    client.write(LARGE);
    await client.until(LARGE.slice(-1000));

    client.socket.end('last words');

    const received = (await client.until(FAREWELL)).toString('latin1');
    expect(received.endsWith(`xlast words${FAREWELL}`)).toBe(true);
    await upstream.sockets.until(0);
  });
});

describe.skipIf(!hasIntermediary('nginx'))('nginx without the lines for channels', () => {
  it('lets no upgrade through: 501, and the message says that the path carries none', async () => {
    const { upstream, outbound, raw } = await startPath('nginx', (block) =>
      block.replace(/^ +proxy_set_header (Upgrade|Connection) .*\n/gm, ''),
    );

    await expect(raw()).rejects.toThrow(
      /^HTTP\/1.1 501 [^]*RELAY_UPGRADE_UNSUPPORTED[^]*between the relays[^]*"forwarded":"no"/,
    );
    expect(upstream.upgrades.items).toEqual([]);
    await outbound.log.find(({ code }) => code === 'RELAY_UPGRADE_UNSUPPORTED');
  });
});

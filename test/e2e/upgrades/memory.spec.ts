import { expect, it } from 'vitest';

import {
  openWebSocket,
  openWebSockets,
  type OpenWebSocket,
} from '../../support/clients/upgrade-clients.js';
import { collectGarbage } from '../../support/lifecycle/collect-garbage.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { UPGRADES, upgradedIn } from '../../support/tunnels/upgrade-processes.js';
import { startUpgradeUpstream } from '../../support/upstreams/upgrade-upstream.js';

const ROUND = 100;
const ROUNDS = 3;
/** A relay that kept each connection, with its request and its windows, would grow by tens of kilobytes for each. */
const MAX_BYTES_EACH = 4_000;

const ENDINGS = [
  ({ socket }: OpenWebSocket) => {
    socket.close();
  },
  ({ socket }: OpenWebSocket) => {
    socket.send('close 1000 bye');
  },
  ({ socket }: OpenWebSocket) => {
    socket.terminate();
  },
];

it('WebSockets that have ended leave no memory behind, however they ended', async ({
  annotate,
}) => {
  const upstream = forThisTest(await startUpgradeUpstream());
  const inbound = forThisTest(await startRelay({ ...UPGRADES, UPSTREAM: upstream.url }));
  const outbound = forThisTest(await startRelay(UPGRADES));
  const { clientHeaders } = tunnelClient(outbound.url, inbound.url);
  /** @returns what is in use afterwards */
  const round = async (): Promise<number> => {
    const clients = await openWebSockets(ROUND, () => openWebSocket(outbound.url, clientHeaders));
    for (const [at, client] of clients.entries()) {
      ENDINGS[at % ENDINGS.length]!(client);
    }
    await Promise.all(clients.map(({ ended }) => ended));
    await upstream.sockets.until(0);
    await expect.poll(() => upgradedIn(outbound, 'outbound'), { timeout: 60_000 }).toBe(0);
    await expect.poll(() => upgradedIn(inbound, 'inbound'), { timeout: 60_000 }).toBe(0);
    // What the test itself has recorded, except where the relays listen.
    for (const { log } of [outbound, inbound]) {
      log.items.splice(0, Infinity, ...log.items.filter(({ address }) => address !== undefined));
    }
    upstream.upgrades.items.length = 0;
    upstream.webSockets.items.length = 0;
    collectGarbage();
    return process.memoryUsage().heapUsed + process.memoryUsage().external;
  };
  await round();
  const before = await round();

  let after = before;
  for (let count = 0; count < ROUNDS; count += 1) {
    after = await round();
  }

  const bytesEach = Math.round((after - before) / (ROUND * ROUNDS));
  await annotate(`${bytesEach} bytes are left of each connection`);
  expect(bytesEach).toBeLessThan(MAX_BYTES_EACH);
});

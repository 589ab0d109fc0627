import { expect, it } from 'vitest';

import { openWebSocket, openWebSockets } from '../support/clients/upgrade-clients.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { childrenOf, twoWorkers, workersUp } from '../support/processes/workers.js';
import { startUpgradeProcesses, upgradedIn } from '../support/tunnels/upgrade-processes.js';

const WEB_SOCKETS = 40;
const LATE = { timeout: 60_000, interval: 250 };

const workers = await twoWorkers();

it('relays with two workers each carry WebSockets in all of them, and lose only those of one that is killed', async () => {
  const relays = forThisTest(await startUpgradeProcesses({ both: workers }));
  const { outbound, inbound, clientHeaders } = relays;
  await Promise.all([workersUp(outbound), workersUp(inbound)]);
  const open = async () => forThisTest(await openWebSocket(outbound.url, clientHeaders));
  const clients = await openWebSockets(WEB_SOCKETS, open);
  const echoed = await Promise.all(clients.map(({ echo }, at) => echo(`${at}`)));
  expect(echoed).toEqual(clients.map((_, at) => `${at}`));
  const counts = () =>
    Promise.all([upgradedIn(outbound, 'outbound'), upgradedIn(inbound, 'inbound')]);
  await expect.poll(counts, LATE).toEqual([WEB_SOCKETS, WEB_SOCKETS]);
  for (const relay of [outbound, inbound]) {
    const requests = relay.log.items.filter(({ msg }) => msg === 'request completed');
    expect(new Set(requests.map(({ pid }) => pid)).size).toBe(2);
  }

  const codes: number[] = [];
  for (const { ended } of clients) {
    void ended.then(({ code }) => codes.push(code));
  }
  process.kill(childrenOf(inbound)[0]!, 'SIGKILL');

  await expect.poll(() => codes.length, LATE).toBeGreaterThan(0);
  await expect.poll(counts, LATE).toEqual([WEB_SOCKETS - codes.length, WEB_SOCKETS - codes.length]);
  expect(codes).toEqual(codes.map(() => 1006));
  expect(codes.length).toBeLessThan(WEB_SOCKETS);
  const left = clients.filter(({ socket }) => socket.readyState === socket.OPEN);
  expect(await Promise.all(left.map(({ echo }) => echo('left')))).toEqual(left.map(() => 'left'));
  // In place of those that were lost, also by the new worker.
  const again = await openWebSockets(codes.length, open);
  expect(await Promise.all(again.map(({ echo }) => echo('again')))).toEqual(
    again.map(() => 'again'),
  );

  for (const { socket } of [...left, ...again]) {
    socket.close();
  }
  await expect.poll(counts, LATE).toEqual([0, 0]);
  await relays.upstream.sockets.until(0);
});

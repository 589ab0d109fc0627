import { readlinkSync, readdirSync } from 'node:fs';

import { beforeAll, describe, expect, it, vi } from 'vitest';

import {
  openWebSocket,
  openWebSockets,
  type OpenWebSocket,
} from '../support/clients/upgrade-clients.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { inMib } from '../support/processes/process-memory.js';
import type { RelayProcess } from '../support/processes/relay-process.js';
import {
  startUpgradeProcesses,
  upgradedIn,
  type UpgradeProcesses,
} from '../support/tunnels/upgrade-processes.js';

const MIB = 1024 * 1024;
const IDLE = 1_000;
const ROUND = 200;
const ROUNDS = 5;
/** Opened at the same time: each costs B a round trip to its store, and A a handshake. */
const AT_ONCE = 50;
const LATE = { timeout: 120_000, interval: 500 };

const shared = sharedResources();
let relays: UpgradeProcesses;

beforeAll(async () => {
  relays = shared(await startUpgradeProcesses());
  // What the first connections need once: code, tables, the heap itself.
  await endAll(await openMany(ROUND));
});

async function openMany(count: number): Promise<OpenWebSocket[]> {
  const { outbound, clientHeaders } = relays;
  const all: OpenWebSocket[] = [];
  while (all.length < count) {
    const open = () => openWebSocket(outbound.url, clientHeaders);
    all.push(...(await openWebSockets(Math.min(AT_ONCE, count - all.length), open)));
  }
  return all;
}

/** Ends all of them in one of the ways that connections end, in turn, and waits until nothing is left. */
async function endAll(clients: readonly OpenWebSocket[]): Promise<void> {
  clients.forEach(({ socket }, at) => {
    if (at % 3 === 0) {
      socket.close();
    } else if (at % 3 === 1) {
      socket.send('close 1000 bye');
    } else {
      socket.terminate();
    }
  });
  await Promise.all(clients.map(({ ended }) => ended));
  const { outbound, inbound, upstream } = relays;
  await vi.waitUntil(async () => (await upgradedIn(outbound, 'outbound')) === 0, LATE);
  await vi.waitUntil(async () => (await upgradedIn(inbound, 'inbound')) === 0, LATE);
  await upstream.sockets.until(0);
}

/** The sockets that a process has open. Linux only. */
function socketsOf({ pid }: RelayProcess): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      // Closed in the meantime.
      return false;
    }
  }).length;
}

const both = <T>(read: (relay: RelayProcess) => T): [T, T] => [
  read(relays.outbound),
  read(relays.inbound),
];

describe('WebSockets through one pair of relays', () => {
  it('cost less than 60 MiB of each relay if 1,000 of them are idle', async ({ annotate }) => {
    const before = both((relay) => relay.rss());

    const clients = await openMany(IDLE);

    const { outbound, inbound } = relays;
    expect(await upgradedIn(outbound, 'outbound')).toBe(IDLE);
    expect(await upgradedIn(inbound, 'inbound')).toBe(IDLE);
    const growth = both((relay) => relay.rss()).map((rss, at) => rss - before[at]!);
    await annotate(`1,000 idle: RSS of A +${inMib(growth[0]!)}, of B +${inMib(growth[1]!)}`);
    await endAll(clients);
    expect(Math.max(...growth)).toBeLessThanOrEqual(60 * MIB);
  });

  it('leave no socket behind, round after round', async ({ annotate }) => {
    const rounds: string[] = [];
    await endAll(await openMany(ROUND));
    // The admin listener and the channels of requests keep a few.
    const sockets = both(socketsOf);
    const before = both((relay) => relay.rss());

    for (let round = 0; round < ROUNDS; round += 1) {
      await endAll(await openMany(ROUND));
      rounds.push(both((relay) => inMib(relay.rss())).join(' and '));
    }

    await annotate(
      `RSS of A and B: ${both((relay) => inMib(relay.rss())).join(' and ')}; ${rounds.join('; ')}`,
    );
    await expect
      .poll(() => both(socketsOf).every((count, at) => count <= sockets[at]! + 2), LATE)
      .toBe(true);
    const growth = both((relay) => relay.rss()).map((rss, at) => rss - before[at]!);
    // Most of it is what no collection of the old generation has looked at yet.
    expect(Math.max(...growth)).toBeLessThan(60 * MIB);
  });
});

/** What the page costs a relay: for each request, and while somebody has it open. */
import console from 'node:console';
import { once } from 'node:events';
import { get } from 'node:http';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { readOptions } from '../../bin/arguments.js';
import { UPSTREAM_PORT, startUpstream } from './chains/index.mjs';
import { clientHeaders, startRelay } from './chains/relays.mjs';
import { saturate } from './load/wrk.mjs';
import { compare } from './measure/slices.mjs';
import { quantile } from './measure/statistics.mjs';
import { listening, observe, pidsOf, residentMib } from './processes.mjs';
import { requireTools } from './tools.mjs';

/** @import { Chain } from './chains/index.mjs' */

const PEERS = 50;
const PORTS = { unwatched: 17_920, peer: 17_921, watched: 17_922, admin: 17_923 };
const CONNECTIONS = 32;
const PLAN = { warmUpSeconds: 12, slices: 16 };
const ROUNDS = 8;
const WINDOW_MS = 5_000;
const MAX_SHARE = 0.01;
const MAX_MIB = 5;

readOptions(
  `Usage: npm run build && npm run bench:page

Measures what the page costs a relay that has ${PEERS} peers: how much CPU time each request takes with an open page and without
a listener for operators, and by how much CPU time and memory grow while the page is open and there are no requests. It takes
about three minutes. The exit code is 1 if an open page costs more than ${MAX_SHARE * 100} % of a core or ${MAX_MIB} MiB. As root on Debian it
installs wrk.`,
  {},
);
requireTools(['wrk']);
await startUpstream();
startRelay(PORTS.peer, UPSTREAM_PORT);

/**
 * @param {string} name
 * @param {number} port
 * @param {NodeJS.ProcessEnv} env
 * @returns {Chain}
 */
function chainOf(name, port, env = {}) {
  const relay = startRelay(port, UPSTREAM_PORT, env);
  return {
    name,
    port,
    peerPort: PORTS.peer,
    headers: clientHeaders(PORTS.peer),
    children: [relay],
    pids: pidsOf([relay]),
  };
}

const unwatched = chainOf('without a listener for operators', PORTS.unwatched);
const watched = chainOf('with an open page', PORTS.watched, { ADMIN_PORT: String(PORTS.admin) });
const { pids } = watched;
const load = { connections: CONNECTIONS, peers: PEERS };
await Promise.all(Object.values(PORTS).map(listening));

/** Opens the stream that the page reads. Resolves with how much has come, and what closes it. */
async function openPage() {
  const request = get(`http://127.0.0.1:${PORTS.admin}/events`);
  const [response] = await once(request, 'response');
  let bytes = 0;
  response.on('data', (/** @type {Buffer} */ chunk) => {
    bytes += chunk.length;
  });
  request.on('error', () => undefined);
  return {
    get bytes() {
      return bytes;
    },
    close: () => request.destroy(),
  };
}

const open = await openPage();
const result = await compare([unwatched, watched], load, PLAN);
open.close();
for (const [name, { cpuMicros, spread }] of Object.entries(result)) {
  console.log(
    `${name.padEnd(34)} ${cpuMicros.toFixed(0)} µs CPU per request of the first relay (spread ${(spread * 100).toFixed(0)} %)`,
  );
}
const cpu = { alone: 0, watched: 0 };
let bytes = 0;
/** @type {number[]} */
const growths = [];
for (let round = 0; round < ROUNDS; round += 1) {
  // The response times of all peers are in what the page is sent, and the relay has nothing else to do.
  await saturate(watched, { ...load, seconds: 2 });
  await delay(500);
  const before = residentMib(pids);
  const alone = await observe(pids, () => delay(WINDOW_MS));
  const page = await openPage();
  const beside = await observe(pids, () => delay(WINDOW_MS));
  growths.push(residentMib(pids) - before);
  bytes += page.bytes;
  page.close();
  cpu.alone += alone.hopSeconds[0] ?? NaN;
  cpu.watched += beside.hopSeconds[0] ?? NaN;
}
const seconds = (ROUNDS * WINDOW_MS) / 1_000;
const share = (cpu.watched - cpu.alone) / seconds;
const mib = quantile(growths, 0.5);
console.log(
  `an open page with ${PEERS} peers: ${(share * 100).toFixed(2)} % of a core (limit ${MAX_SHARE * 100} %), ${mib.toFixed(1)} MiB (limit ${MAX_MIB}), ${(bytes / 1_024 / seconds).toFixed(0)} KiB a second to the page, on Node.js ${process.versions.node}`,
);
process.exit(share <= MAX_SHARE && mib <= MAX_MIB ? 0 : 1);

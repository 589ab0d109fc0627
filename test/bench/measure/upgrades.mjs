/** What upgraded connections cost: WebSockets, as other chains carry them and as the relays seal them. */
import { setTimeout as delay } from 'node:timers/promises';

import { ALL, CHANNELS, HTTP_PROXY, NGINX, NGINX_PLAIN, startChain } from '../chains/index.mjs';
import { startWebSockets } from '../load/web-socket-load.mjs';
import { residentMib, stop } from '../processes.mjs';
import { bodies } from './bodies.mjs';
import { latencies } from './latency.mjs';
import { compare } from './slices.mjs';

/** @import { BodiesPlan, BodiesSummary } from './bodies.mjs' */
/** @import { LatencyPlan, LatencySummary } from './latency.mjs' */
/** @import { SliceSummary, SlicesPlan } from './slices.mjs' */

/**
 * @typedef {object} UpgradesPlan
 * @property {number} idle - the number of WebSockets on which nothing happens
 * @property {SlicesPlan} echo
 * @property {LatencyPlan} latency
 * @property {BodiesPlan} bulk
 */

/**
 * @typedef {object} UpgradesSummary
 * @property {{ count: number, addedMib: number[] }} idle - what they add to the memory of each relay
 * @property {Record<string, SliceSummary>} echo - messages of 1 KiB and back; a request is such a message
 * @property {Record<string, LatencySummary>} latency - of the same at a steady rate
 * @property {Record<string, BodiesSummary>} bulk - messages of 64 KiB on one WebSocket
 */

const WARM_UP_SECONDS = 3;
const SETTLE_MS = 2000;

/**
 * Measures all chains in turn. They are new, and have carried nothing else.
 *
 * @param {UpgradesPlan} plan
 * @param {number} connections - for messages of 1 KiB
 * @returns {Promise<UpgradesSummary>}
 */
export async function upgrades(plan, connections) {
  const idle = { count: plan.idle, addedMib: await addedMib(plan.idle, connections) };
  const load = startWebSockets();
  const chains = [];
  for (const name of [CHANNELS, HTTP_PROXY, NGINX_PLAIN, NGINX]) {
    chains.push(await startChain(name, ALL.length + chains.length));
  }
  const echoing = chains.filter(({ name }) => name !== NGINX);
  const transferring = chains.filter(({ name }) => name !== NGINX_PLAIN);
  const summary = {
    idle,
    echo: await compare(echoing, { connections }, plan.echo, load.saturate),
    latency: await latencies(echoing, plan.latency, (chain, rate) =>
      load.atRate(chain, { connections, ...rate }),
    ),
    bulk: await bodies(transferring, plan.bulk, load),
  };
  await stop(load.child);
  await Promise.all(chains.flatMap(({ children }) => children).map(stop));
  return summary;
}

/**
 * What idle WebSockets add to the memory of each of two new relays.
 *
 * @param {number} count
 * @param {number} connections - of the load before
 */
async function addedMib(count, connections) {
  const chain = await startChain(CHANNELS, ALL.length);
  const load = startWebSockets();
  const each = () => chain.pids.map((pid) => residentMib([pid]));
  await load.saturate(chain, { connections, seconds: WARM_UP_SECONDS });
  await delay(SETTLE_MS);
  const before = each();
  await load.open(chain, count);
  await delay(SETTLE_MS);
  const added = each().map((mib, hop) => mib - (before[hop] ?? NaN));
  await stop(load.child);
  await Promise.all(chain.children.map(stop));
  return added;
}

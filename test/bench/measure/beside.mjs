/** What small requests take beside large transfers that share their way, and alone. */
import { Agent } from 'node:http';

import { atRate } from '../load/client.mjs';
import { saturate } from '../load/wrk.mjs';
import { quantile } from './statistics.mjs';

/** @import { Chain } from '../chains/index.mjs' */

/** @typedef {{ perSecond: number, seconds: number, transfers: number, rounds: number }} BesidePlan */

/**
 * Latencies in ms.
 *
 * @typedef {{ alone: number, beside: number }} BesideSummary
 */

const TRANSFER_BYTES = 64 * 2 ** 20;

/**
 * The p99 of GETs of 1 KiB at a steady rate, alone and beside transfers of 64 MiB, in turn. The transfers are read by another
 * process than the one that measures.
 *
 * @param {Chain[]} chains
 * @param {BesidePlan} plan
 * @returns {Promise<Record<string, BesideSummary>>} by chain
 */
export async function besideTransfers(chains, { transfers, rounds, ...rate }) {
  /** @type {Record<string, BesideSummary>} */
  const results = {};
  for (const chain of chains) {
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    const alone = [];
    const beside = [];
    for (let round = 0; round < rounds; round += 1) {
      alone.push(...(await atRate(chain, rate, agent)));
      const load = { connections: transfers, seconds: rate.seconds + 2 };
      const transferring = saturate(chain, { ...load, path: `/bytes/${TRANSFER_BYTES}` });
      beside.push(...(await atRate(chain, rate, agent)));
      await transferring;
    }
    agent.destroy();
    results[chain.name] = { alone: quantile(alone, 0.99), beside: quantile(beside, 0.99) };
  }
  return results;
}

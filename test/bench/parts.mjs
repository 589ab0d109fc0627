/** The parts of a benchmark, in the order in which they run. Each adds its figures to the report. */
import { BARE, CHANNELS, DIRECT, PLAIN } from './chains/index.mjs';
import { besideTransfers } from './measure/beside.mjs';
import { bodies } from './measure/bodies.mjs';
import { byBodies, byConnections, byPeers } from './measure/growth.mjs';
import { idleChannels } from './measure/idle-channels.mjs';
import { latencies } from './measure/latency.mjs';
import { bySessions } from './measure/sessions.mjs';
import { compare, warmUp } from './measure/slices.mjs';
import { coldStartMs, pairingMs } from './measure/starts.mjs';
import { streams } from './measure/streams.mjs';
import { upgrades } from './measure/upgrades.mjs';
import { peakMib, residentMib } from './processes.mjs';

/** @import { Chain } from './chains/index.mjs' */
/** @import { SliceSummary } from './measure/slices.mjs' */
/** @import { Plan } from './plan.mjs' */
/** @import { Figures } from './report/results.mjs' */

/**
 * What every part is given.
 *
 * @typedef {object} Setting
 * @property {Chain[]} chains
 * @property {Plan} plan
 * @property {string} redisUrl
 */

/**
 * @param {Chain[]} chains
 * @param {(pids: number[]) => number} measure
 */
const ofEach = (chains, measure) =>
  Object.fromEntries(chains.map(({ name, pids }) => [name, measure(pids)]));

/**
 * @param {Chain[]} chains
 * @param {string[]} names
 */
const without = (chains, ...names) => chains.filter(({ name }) => !names.includes(name));

/** @type {{ [name in keyof Figures]-?: (setting: Setting) => Promise<Figures[name]> }} */
export const PARTS = {
  async restMib({ chains }) {
    return ofEach(without(chains, DIRECT, BARE), residentMib);
  },

  /** The chain on bare Fastify takes part only in the first load: what Nest adds is the same in the others. */
  async small({ chains, plan }) {
    await warmUp(chains, { connections: plan.connections }, plan.firstWarmUpSeconds);
    /** @type {Record<string, Record<string, SliceSummary>>} */
    const results = {};
    for (const [title, postBytes] of Object.entries(plan.loads)) {
      const compared = postBytes === 0 ? chains : without(chains, BARE);
      const load = { postBytes, connections: plan.connections };
      results[title] = await compare(compared, load, plan.slices);
    }
    return results;
  },

  async latency({ chains, plan }) {
    return latencies(without(chains, BARE), plan.latency);
  },

  async bulk({ chains, plan }) {
    return bodies(without(chains, BARE), plan.bulk);
  },

  async peakMib({ chains }) {
    return ofEach(without(chains, DIRECT, BARE), peakMib);
  },

  async beside({ chains, plan }) {
    const two = chains.filter(({ name }) => name === CHANNELS || name === PLAIN);
    return besideTransfers(two, plan.beside);
  },

  async idle({ plan }) {
    return idleChannels(plan.idle);
  },

  async streams({ plan }) {
    return streams(plan.streams, plan.connections);
  },

  async upgrades({ plan }) {
    return upgrades(plan.upgrades, plan.connections);
  },

  async connections({ chains, plan }) {
    return byConnections(chains, plan.growth.connections);
  },

  async peers({ chains, plan }) {
    return byPeers(chains, plan.growth.peers);
  },

  async bodies({ chains, plan }) {
    return byBodies(chains, plan.growth.bodies);
  },

  async starts() {
    return { coldStartMs: await coldStartMs(), pairingMs: await pairingMs() };
  },

  async sessions({ redisUrl, plan }) {
    return bySessions(redisUrl, plan.growth.sessions);
  },
};

/** How much is measured: the whole plan takes less than fifteen minutes, the brief one less than six. */
import { ALL, BARE, CHANNELS, CHANNELS_REDIS, MESSAGES, NGINX, PLAIN } from './chains/index.mjs';

/** @import { BesidePlan } from './measure/beside.mjs' */
/** @import { BodiesPlan } from './measure/bodies.mjs' */
/** @import { BodiesGrowth, ConnectionsGrowth, PeersGrowth } from './measure/growth.mjs' */
/** @import { IdlePlan } from './measure/idle-channels.mjs' */
/** @import { LatencyPlan } from './measure/latency.mjs' */
/** @import { SlicesPlan } from './measure/slices.mjs' */
/** @import { UpgradesPlan } from './measure/upgrades.mjs' */

/**
 * What differs between the two plans.
 *
 * @typedef {object} Extent
 * @property {string[]} chains
 * @property {Record<string, number>} loads - the bytes of the body of a POST by title; 0 for a GET
 * @property {SlicesPlan} slices
 * @property {LatencyPlan} latency
 * @property {BodiesPlan} bulk
 * @property {BesidePlan} beside
 * @property {IdlePlan} idle
 * @property {UpgradesPlan} upgrades
 * @property {{ connections: ConnectionsGrowth, peers: PeersGrowth, bodies: BodiesGrowth, sessions: number[] }} growth
 */

/**
 * @typedef {{ isBrief: boolean, connections: number, streams: number, firstWarmUpSeconds: number } & Extent} Plan
 */

const CONNECTIONS = 32;
const RATE = 300;

/** @type {Extent} */
const FULL = {
  chains: ALL,
  loads: { 'GET 1 KiB': 0, 'POST 1 KiB': 1024, 'POST 16 KiB': 16_384 },
  slices: { warmUpSeconds: 6, slices: 7 },
  latency: { perSecond: RATE, seconds: 2, rounds: 8 },
  bulk: { bytes: 64 * 2 ** 20, count: 1, concurrency: 1, warmUpSeconds: 7, rounds: 7 },
  beside: { perSecond: 100, seconds: 4, transfers: 8, rounds: 3 },
  idle: { peers: 1000, channelsEach: 2, seconds: 10 },
  upgrades: {
    idle: 1000,
    echo: { warmUpSeconds: 6, slices: 7 },
    latency: { perSecond: 1000, seconds: 1, rounds: 5 },
    bulk: { bytes: 256 * 2 ** 20, count: 1, concurrency: 1, warmUpSeconds: 1, rounds: 3 },
  },
  growth: {
    connections: { connections: [1, 8, 64, 256], warmUpSeconds: 1, slices: 4 },
    peers: { peers: [1, 10, 50], connections: CONNECTIONS, warmUpSeconds: 2, slices: 4 },
    bodies: { sizesKib: [1, 16, 256, 4096, 65_536], warmUpSeconds: 1, rounds: 2 },
    sessions: [1, 1000, 10_000, 99_999],
  },
};

/**
 * Only the chains that the targets are about.
 *
 * @type {Extent}
 */
const BRIEF = {
  chains: [NGINX, PLAIN, CHANNELS, CHANNELS_REDIS, MESSAGES, BARE],
  loads: { 'GET 1 KiB': 0, 'POST 1 KiB': 1024 },
  slices: { warmUpSeconds: 9, slices: 8 },
  latency: { perSecond: RATE, seconds: 2, rounds: 3 },
  bulk: { bytes: 64 * 2 ** 20, count: 1, concurrency: 1, warmUpSeconds: 4, rounds: 4 },
  beside: { perSecond: 100, seconds: 3, transfers: 8, rounds: 1 },
  idle: { peers: 200, channelsEach: 2, seconds: 4 },
  upgrades: {
    idle: 1000,
    echo: { warmUpSeconds: 4, slices: 3 },
    latency: { perSecond: 1000, seconds: 1, rounds: 2 },
    bulk: { bytes: 64 * 2 ** 20, count: 1, concurrency: 1, warmUpSeconds: 1, rounds: 2 },
  },
  growth: {
    connections: { connections: [1, 256], warmUpSeconds: 1, slices: 2 },
    peers: { peers: [1, 50], connections: CONNECTIONS, warmUpSeconds: 1, slices: 3 },
    bodies: { sizesKib: [1, 256, 65_536], warmUpSeconds: 1, rounds: 1 },
    sessions: [1, 99_999],
  },
};

/**
 * @param {boolean} isBrief
 * @returns {Plan}
 */
export const planFor = (isBrief) => ({
  isBrief,
  connections: CONNECTIONS,
  streams: 1000,
  /** New processes take longer to warm up than those that have run before: with Node.js 26 a relay needs 15 s. */
  firstWarmUpSeconds: 6,
  ...(isBrief ? BRIEF : FULL),
});

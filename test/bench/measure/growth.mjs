/** How costs grow: with connections, with the number of peers of one relay, and with the size of bodies. */
import { CHANNELS, PLAIN } from '../chains/index.mjs';
import { bodies } from './bodies.mjs';
import { compare } from './slices.mjs';

/** @import { Chain } from '../chains/index.mjs' */
/** @import { BodiesSummary } from './bodies.mjs' */
/** @import { SliceSummary, SlicesPlan } from './slices.mjs' */

/** @typedef {SlicesPlan & { connections: number[] }} ConnectionsGrowth */
/** @typedef {SlicesPlan & { connections: number, peers: number[] }} PeersGrowth */
/** @typedef {{ sizesKib: number[], warmUpSeconds: number, rounds: number }} BodiesGrowth */

const KIB = 1024;
const BODY_CONCURRENCY = 4;
/** About that many bytes are sent of each size, but in no more transfers than the following number. */
const BODY_TOTAL = 64 * 2 ** 20;
const MAX_TRANSFERS = 2000;

/** @param {Chain[]} chains */
const sealedAndPlain = (chains) => chains.filter(({ name }) => name === CHANNELS || name === PLAIN);

/**
 * @param {Chain[]} chains
 * @param {ConnectionsGrowth} plan
 */
export async function byConnections(chains, { connections, ...plan }) {
  const two = sealedAndPlain(chains);
  /** @type {Record<string, Record<string, SliceSummary>>} */
  const rows = {};
  for (const count of connections) {
    rows[count] = await compare(two, { connections: count }, plan);
  }
  return rows;
}

/**
 * @param {Chain[]} chains
 * @param {PeersGrowth} plan
 */
export async function byPeers(chains, { peers, connections, ...plan }) {
  const sealed = chains.filter(({ name }) => name === CHANNELS);
  /** @type {Record<string, Record<string, SliceSummary>>} */
  const rows = {};
  for (const count of peers) {
    rows[count] = await compare(sealed, { connections, peers: count }, plan);
  }
  return rows;
}

/**
 * @param {Chain[]} chains
 * @param {BodiesGrowth} plan
 */
export async function byBodies(chains, { sizesKib, ...plan }) {
  const two = sealedAndPlain(chains);
  /** @type {Record<string, Record<string, BodiesSummary>>} */
  const rows = {};
  for (const size of sizesKib) {
    const bytes = size * KIB;
    const wanted = Math.min(MAX_TRANSFERS, Math.round(BODY_TOTAL / bytes));
    rows[size] = await bodies(two, {
      ...plan,
      bytes,
      count: Math.max(BODY_CONCURRENCY, wanted),
      concurrency: BODY_CONCURRENCY,
    });
  }
  return rows;
}

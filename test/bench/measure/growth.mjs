/** How cost grows: with connections, with the relays that one relay talks to, with the size of bodies. */
import { PLAIN, SEALED } from '../chains/index.mjs';
import { bodies } from './bodies.mjs';
import { compare } from './slices.mjs';

const KIB = 1024;
const BODY_CONCURRENCY = 4;
/** Of each size about so much is sent, in no more transfers than that. */
const BODY_TOTAL = 64 * 2 ** 20;
const MAX_TRANSFERS = 2000;

const sealedAndPlain = (chains) => chains.filter(({ name }) => name === SEALED || name === PLAIN);

export async function byConnections(chains, { connections, ...plan }) {
  const two = sealedAndPlain(chains);
  const rows = {};
  for (const count of connections) rows[count] = await compare(two, { connections: count }, plan);
  return rows;
}

export async function byPeers(chains, { peers, connections, ...plan }) {
  const sealed = chains.filter(({ name }) => name === SEALED);
  const rows = {};
  for (const count of peers) {
    rows[count] = await compare(sealed, { connections, peers: count }, plan);
  }
  return rows;
}

export async function byBodies(chains, { sizesKib, ...plan }) {
  const two = sealedAndPlain(chains);
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

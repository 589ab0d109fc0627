/**
 * Measures one session store, that of REDIS_URL. It is filled step by step, through its own interface, to the numbers of
 * sessions in the arguments. Prints as JSON how long OPEN and MARK of a session take at each number, and how much memory
 * is in use.
 */
import console from 'node:console';
import { randomBytes, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Redis } from 'ioredis';

import { loadConfig } from '#dist/libs/config/src/index.js';
import { BLOB_BYTES, BLOB_HEAD_BYTES } from '#dist/libs/protocol/src/index.js';
import { SystemClock } from '#dist/libs/clock/src/index.js';
import { MemorySessionStore } from '#dist/libs/session/src/memory-session-store.js';
import { RedisLink } from '#dist/libs/session/src/redis-link.js';
import { RedisSessionStore } from '#dist/libs/session/src/redis-session-store.js';
import { quantile } from './statistics.mjs';

/**
 * @typedef {object} StoreFigures
 * @property {number} p50Micros - of OPEN and MARK together
 * @property {number} p99Micros
 * @property {number} usedMib
 */

const LIFETIME_MS = 3_600_000;
const CONCURRENCY = 64;
const WARM_UP = 2000;
const SAMPLES = 5000;
const MIB = 2 ** 20;

const { config } = loadConfig({
  UPSTREAM: 'http://127.0.0.1:1',
  CLIENT_ID_SECRET: randomBytes(32).toString('base64'),
  OUTBOUND_TOKEN: randomBytes(16).toString('hex'),
  REDIS_URL: process.env.REDIS_URL,
  REDIS_PREFIX: `bench:${process.pid}:`,
});
const address = config.redisAddress;
const redis = address && new Redis(config.redisUrl);

async function createStore() {
  if (address === undefined) {
    return new MemorySessionStore(new SystemClock(), LIFETIME_MS);
  }
  const store = new RedisSessionStore(
    new RedisLink(config, address),
    config.redisPrefix,
    LIFETIME_MS,
  );
  await store.onModuleInit();
  return store;
}

/**
 * The id of the n-th session, as long as every id. It is computed, because ids that this script keeps would count as
 * memory of the store.
 *
 * @param {number} n
 */
const sidOf = (n) => String(n).padStart(22, '0');

/** @param {number} n */
async function addSession(n) {
  const epoch = await store.reserve(sidOf(n));
  if (epoch === undefined) {
    throw new Error('a session could not be reserved');
  }
  if (blob.toString('latin1', 0, epoch.length) !== epoch) {
    blob.write(epoch, 'latin1');
  }
  if (!(await store.put(sidOf(n), blob))) {
    throw new Error('a session was not saved');
  }
}

/**
 * @param {number} from
 * @param {number} to
 */
async function fill(from, to) {
  for (let n = from; n < to; n += CONCURRENCY) {
    const more = Math.min(CONCURRENCY, to - n);
    await Promise.all(Array.from({ length: more }, (_, at) => addSession(n + at)));
  }
}

/**
 * Measures OPEN and MARK of random sessions, one after another.
 *
 * @param {number} samples
 * @param {number} sessions
 * @returns the latencies in microseconds
 */
async function latencies(samples, sessions) {
  const micros = [];
  for (let at = 0; at < samples; at += 1) {
    const n = randomInt(sessions);
    const sequence = (sequences[n] ?? 0) + 1;
    sequences[n] = sequence;
    const startMs = performance.now();
    const found = await store.open(sidOf(n));
    const outcome = await store.mark(sidOf(n), { sequence }, blob.subarray(0, BLOB_HEAD_BYTES));
    micros.push((performance.now() - startMs) * 1000);
    if (found === undefined || outcome !== 'first') {
      throw new Error('a session was lost');
    }
  }
  return micros;
}

/** The memory of Redis, or of this process if the sessions are in it. */
async function usedMib() {
  if (redis !== undefined) {
    const bytes = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
    return Number(bytes) / MIB;
  }
  globalThis.gc?.();
  return process.memoryUsage.rss() / MIB;
}

const counts = process.argv.slice(2).map(Number);
const store = await createStore();
/** What every session consists of, after the epoch of the store. */
const blob = randomBytes(BLOB_BYTES);
const sequences = new Uint32Array(Math.max(...counts));

/** @type {Record<string, StoreFigures>} */
const rows = {};
let filled = 0;
for (const count of counts) {
  await fill(filled, count);
  filled = count;
  await latencies(WARM_UP, count);
  const micros = await latencies(SAMPLES, count);
  rows[count] = {
    p50Micros: quantile(micros, 0.5),
    p99Micros: quantile(micros, 0.99),
    usedMib: await usedMib(),
  };
}
console.log(JSON.stringify(rows));
process.exit(0);

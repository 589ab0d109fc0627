/**
 * One store of sessions, that of REDIS_URL, filled step by step through its own interface to the numbers of sessions that
 * the arguments say: what OPEN and MARK of a session take at each, and how much memory is in use. Prints JSON.
 */
import console from 'node:console';
import { randomBytes, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Redis } from 'ioredis';

import { loadConfig } from '../../../dist/libs/config/src/index.js';
import { BLOB_BYTES, BLOB_HEAD_BYTES } from '../../../dist/libs/protocol/src/index.js';
import { SystemClock } from '../../../dist/libs/session/src/clock.js';
import { MemorySessionStore } from '../../../dist/libs/session/src/memory-session-store.js';
import { RedisLink } from '../../../dist/libs/session/src/redis-link.js';
import { RedisSessionStore } from '../../../dist/libs/session/src/redis-session-store.js';
import { quantile } from './statistics.mjs';

const LIFETIME_MS = 3_600_000;
const AT_ONCE = 64;
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
  if (address === undefined) return new MemorySessionStore(new SystemClock(), LIFETIME_MS);
  const store = new RedisSessionStore(
    new RedisLink(config, address),
    config.redisPrefix,
    LIFETIME_MS,
  );
  await store.onModuleInit();
  return store;
}

/** The n-th session's id, as long as any: nothing of a session is kept here, where it would count as memory of the store. */
const sidOf = (n) => String(n).padStart(22, '0');

async function addSession(n) {
  const epoch = await store.reserve(sidOf(n));
  if (blob.toString('latin1', 0, epoch.length) !== epoch) blob.write(epoch, 'latin1');
  if (!(await store.put(sidOf(n), blob))) throw new Error('a session was not saved');
}

async function fill(from, to) {
  for (let n = from; n < to; n += AT_ONCE) {
    const more = Math.min(AT_ONCE, to - n);
    await Promise.all(Array.from({ length: more }, (_, at) => addSession(n + at)));
  }
}

/** OPEN and MARK of sessions taken at random, one after another, in microseconds. */
async function latencies(samples, sessions) {
  const micros = [];
  for (let at = 0; at < samples; at += 1) {
    const n = randomInt(sessions);
    sequences[n] += 1;
    const startMs = performance.now();
    const found = await store.open(sidOf(n));
    const outcome = await store.mark(sidOf(n), sequences[n], blob.subarray(0, BLOB_HEAD_BYTES));
    micros.push((performance.now() - startMs) * 1000);
    if (found === undefined || outcome !== 'first') throw new Error('a session was lost');
  }
  return micros;
}

/** Of this process, or of Redis. */
async function usedMib() {
  if (redis !== undefined) {
    const [, bytes] = /used_memory:(\d+)/.exec(await redis.info('memory'));
    return Number(bytes) / MIB;
  }
  globalThis.gc();
  return process.memoryUsage.rss() / MIB;
}

const counts = process.argv.slice(2).map(Number);
const store = await createStore();
/** What every session consists of, behind the epoch of the store. */
const blob = randomBytes(BLOB_BYTES);
const sequences = new Uint32Array(Math.max(...counts));

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

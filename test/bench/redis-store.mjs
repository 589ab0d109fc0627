/**
 * What a message costs in the Redis store, with and without the auto-pipelining of ioredis: messages per second, CPU time
 * of this process and of Redis, and latency. A message needs an OPEN and then a MARK. If a relay kept the keys of a
 * session from an earlier message, the MARK would be enough. That would also save opening the sealed keys, which is
 * therefore part of the OPEN here.
 *
 *   npm run build && node test/bench/redis-store.mjs
 */
import console from 'node:console';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import process from 'node:process';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import {
  BLOB_HEAD_BYTES,
  deriveSecretKeys,
  audienceHash,
  openSessionBlob,
  sealSessionBlob,
} from '#dist/libs/protocol/src/index.js';
import { SESSION_SCRIPTS } from '#dist/libs/session/src/redis-scripts.js';

const PORT = 16_379;
const RUN_MS = 2000;
const SESSIONS = 50;
const LIFETIME_MS = 3_600_000;
const LAST_SEQUENCE = 2 ** 20 - 1;
const SECRET_KEYS = await deriveSecretKeys(randomBytes(32).toString('base64url'));
const IDENTITY = `${SECRET_KEYS.kid}.bench`;

/** @import { SessionCommands } from '#dist/libs/session/src/redis-scripts.js' */

/**
 * @typedef {object} Variant
 * @property {boolean} enableAutoPipelining
 * @property {boolean} opens - whether a message needs an OPEN before its MARK
 * @property {number} concurrency
 */

/**
 * @param {string} info
 * @param {string} field
 */
const number = (info, field) => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)?.[1]);
/** @param {string} info */
const cpuSeconds = (info) => number(info, 'used_cpu_sys') + number(info, 'used_cpu_user');

/** @param {Variant} variant */
async function measure({ enableAutoPipelining, opens, concurrency }) {
  // The type of a client does not include the commands that `scripts` adds to it.
  const redis = /** @type {Redis & SessionCommands} */ (
    new Redis(PORT, '127.0.0.1', {
      protocol: 2,
      disableClientInfo: true,
      scripts: SESSION_SCRIPTS,
      enableAutoPipelining,
    })
  );
  await redis.flushall();
  /** @type {{ sid: string, key: string, head: Buffer, sequence: number }[]} */
  const sessions = [];
  for (let at = 0; at < SESSIONS; at += 1) {
    const sid = randomBytes(16).toString('base64url');
    const key = `bench:s:${sid}`;
    const epoch = /** @type {Buffer} */ (await redis.sessionReserveBuffer(key, LIFETIME_MS));
    const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
    const session = {
      keys,
      expiresAtMs: Date.now() + LIFETIME_MS,
      lifetimeSeconds: LIFETIME_MS / 1000,
      audienceHash: audienceHash('http://relay-b.example'),
    };
    const blob = sealSessionBlob(session, SECRET_KEYS, sid, IDENTITY, epoch.toString('latin1'));
    await redis.sessionPutBuffer(key, blob.subarray(epoch.length), epoch);
    sessions.push({ sid, key, head: blob.subarray(0, BLOB_HEAD_BYTES), sequence: 0 });
  }

  const redisCpu = cpuSeconds(await redis.info('cpu'));
  const ownCpu = process.cpuUsage();
  const startedAt = performance.now();
  /** @type {number[]} */
  const latenciesMs = [];
  await Promise.all(
    Array.from({ length: concurrency }, async (_, worker) => {
      const session = sessions[worker % SESSIONS];
      if (session === undefined) {
        return;
      }
      while (performance.now() < startedAt + RUN_MS) {
        const sentAt = performance.now();
        if (opens) {
          const blob = await redis.sessionOpenBuffer(session.key, LIFETIME_MS);
          openSessionBlob(/** @type {Buffer} */ (blob), SECRET_KEYS, session.sid, IDENTITY);
        }
        session.sequence = (session.sequence % LAST_SEQUENCE) + 1;
        await redis.sessionMarkBuffer(session.key, session.sequence, session.head, LIFETIME_MS, '');
        latenciesMs.push(performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(ownCpu);
  const redisMicroseconds = (cpuSeconds(await redis.info('cpu')) - redisCpu) * 1e6;
  redis.disconnect();

  const messages = latenciesMs.length;
  latenciesMs.sort((a, b) => a - b);
  /** @param {number} part */
  const percentile = (part) =>
    (latenciesMs[Math.floor((latenciesMs.length - 1) * part)] ?? NaN).toFixed(2);
  return {
    'auto-pipelining': enableAutoPipelining ? 'on' : 'off',
    'per message': opens ? 'OPEN, MARK' : 'MARK',
    concurrency,
    'messages/s': Math.round(messages / seconds),
    'our CPU µs': ((user + system) / messages).toFixed(1),
    'Redis CPU µs': (redisMicroseconds / messages).toFixed(1),
    'p50 ms': percentile(0.5),
    'p99 ms': percentile(0.99),
  };
}

const server = spawn(
  process.env.REDIS_SERVER ?? 'redis-server',
  ['--port', String(PORT), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  { stdio: 'ignore' },
);
try {
  await delay(500);
  const rows = [];
  for (const concurrency of [1, 16, 64, 256]) {
    for (const enableAutoPipelining of [false, true]) {
      for (const opens of [true, false]) {
        rows.push(await measure({ enableAutoPipelining, opens, concurrency }));
      }
    }
  }
  console.table(rows);
} finally {
  server.kill();
  await once(server, 'exit');
}

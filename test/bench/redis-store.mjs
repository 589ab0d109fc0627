/**
 * What a message costs in the Redis store, with and without the auto-pipelining of ioredis: messages a second, CPU time
 * of this process and of Redis, and latency. A message needs an OPEN and then a MARK; where its session's keys were kept
 * from a message before, the MARK alone would do. In that case the unsealing of the keys is saved as well, so it is
 * part of the OPEN here.
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
  deriveSecretKeys,
  openSessionBlob,
  sealSessionBlob,
} from '../../dist/libs/protocol/src/index.js';
import { SESSION_SCRIPTS } from '../../dist/libs/session/src/redis-scripts.js';

const PORT = 16_379;
const RUN_MS = 2000;
const SESSIONS = 50;
const LIFETIME_MS = 3_600_000;
const LAST_SEQUENCE = 2 ** 20 - 1;
const HEAD_BYTES = 56;
const SECRET_KEYS = await deriveSecretKeys(randomBytes(32).toString('base64url'));
const IDENTITY = `${SECRET_KEYS.kid}.bench`;

const number = (info, field) => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)?.[1]);
const cpuSeconds = (info) => number(info, 'used_cpu_sys') + number(info, 'used_cpu_user');

async function measure({ enableAutoPipelining, opens, concurrency }) {
  const redis = new Redis(PORT, '127.0.0.1', {
    protocol: 2,
    disableClientInfo: true,
    scripts: SESSION_SCRIPTS,
    enableAutoPipelining,
  });
  await redis.flushall();
  const sessions = [];
  for (let at = 0; at < SESSIONS; at += 1) {
    const sid = randomBytes(16).toString('base64url');
    const key = `bench:s:${sid}`;
    const epoch = await redis.sessionReserveBuffer(key, LIFETIME_MS);
    const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
    const session = { keys, expiresAtMs: Date.now() + LIFETIME_MS };
    const blob = sealSessionBlob(session, SECRET_KEYS, sid, IDENTITY, epoch.toString('latin1'));
    await redis.sessionPutBuffer(key, blob.subarray(epoch.length), epoch);
    sessions.push({ sid, key, head: blob.subarray(0, HEAD_BYTES), sequence: 0 });
  }

  const redisCpu = cpuSeconds(await redis.info('cpu'));
  const ownCpu = process.cpuUsage();
  const startedAt = performance.now();
  const latenciesMs = [];
  await Promise.all(
    Array.from({ length: concurrency }, async (_, worker) => {
      const session = sessions[worker % SESSIONS];
      while (performance.now() < startedAt + RUN_MS) {
        const sentAt = performance.now();
        if (opens) {
          const blob = await redis.sessionOpenBuffer(session.key, LIFETIME_MS);
          openSessionBlob(blob, SECRET_KEYS, session.sid, IDENTITY);
        }
        session.sequence = (session.sequence % LAST_SEQUENCE) + 1;
        await redis.sessionMarkBuffer(session.key, session.sequence, session.head, LIFETIME_MS);
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
  const percentile = (part) => latenciesMs[Math.floor((latenciesMs.length - 1) * part)].toFixed(2);
  return {
    'auto-pipelining': enableAutoPipelining ? 'on' : 'off',
    'a message': opens ? 'OPEN, MARK' : 'MARK',
    'at once': concurrency,
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

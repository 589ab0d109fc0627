/**
 * What the scripts of the Redis store cost, with and without the auto-pipelining of ioredis: operations a second, CPU
 * time of this process and of Redis, and latency. An OPEN followed by a MARK is what one message needs.
 *
 *   npm run build && node test/bench/redis-store.mjs
 */
import console from 'node:console';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { SESSION_SCRIPTS } from '../../dist/libs/session/src/redis-scripts.js';

const PORT = 16_379;
const RUN_MS = 4000;
const SESSIONS = 50;
const LIFETIME_MS = 3_600_000;
const LAST_SEQUENCE = 2 ** 20 - 1;

const number = (info, field) => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)?.[1]);
const cpuSeconds = (info) => number(info, 'used_cpu_sys') + number(info, 'used_cpu_user');

async function measure(enableAutoPipelining, concurrency) {
  const redis = new Redis(PORT, '127.0.0.1', {
    protocol: 2,
    disableClientInfo: true,
    scripts: SESSION_SCRIPTS,
    enableAutoPipelining,
  });
  await redis.flushall();
  const sessions = [];
  for (let at = 0; at < SESSIONS; at += 1) {
    const key = `bench:s:${at}`;
    const epoch = await redis.sessionReserveBuffer(key, LIFETIME_MS);
    const sealed = randomBytes(104);
    await redis.sessionPutBuffer(key, sealed, epoch);
    sessions.push({ key, head: Buffer.concat([epoch, sealed.subarray(0, 16)]), sequence: 0 });
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
        await redis.sessionOpenBuffer(session.key, LIFETIME_MS);
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

  const operations = 2 * latenciesMs.length;
  latenciesMs.sort((a, b) => a - b);
  const percentile = (part) => latenciesMs[Math.floor((latenciesMs.length - 1) * part)].toFixed(2);
  return {
    'auto-pipelining': enableAutoPipelining ? 'on' : 'off',
    'at once': concurrency,
    'operations/s': Math.round(operations / seconds),
    'our CPU µs/op': ((user + system) / operations).toFixed(1),
    'Redis CPU µs/op': (redisMicroseconds / operations).toFixed(1),
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
    for (const isOn of [false, true]) rows.push(await measure(isOn, concurrency));
  }
  console.table(rows);
} finally {
  server.kill();
  await once(server, 'exit');
}

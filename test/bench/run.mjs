/**
 * `npm run bench`: what two relays cost, beside what a user would have instead, all in one run on one machine. Prints
 * tables, and writes what it measured to docs/performance.json and docs/performance.svg.
 *
 *   npm run build && npm run bench            # about fifteen minutes
 *   npm run bench -- --brief                  # about four, without the slow parts
 */
import console from 'node:console';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

import { chart } from './chart.mjs';
import {
  ALL,
  DIRECT,
  NGINX,
  PLAIN,
  SEALED,
  SEALED_REDIS,
  startChains,
  startRedis,
  startUpstream,
} from './chains/index.mjs';
import { atRate, openStreams, saturate, transfer } from './load.mjs';
import { peakMib, residentMib } from './processes.mjs';
import { compare, quantile } from './slices.mjs';
import { coldStartMs, pairingMs } from './starts.mjs';
import { requireTools } from './tools.mjs';

const isBrief = process.argv.includes('--brief');
const PLAN = isBrief
  ? { warmUpSeconds: 10, slices: 8, rateSeconds: 4, transfers: 3, streams: 200 }
  : { warmUpSeconds: 15, slices: 12, rateSeconds: 10, transfers: 6, streams: 1000 };
const CONNECTIONS = 32;
const RATE = 300;

requireTools(['wrk', 'nginx', 'redis-server', 'openssl']);
await startUpstream();
await startRedis();
const chains = await startChains(ALL);
const hops = chains.filter(({ name }) => name !== DIRECT);
const named = (name) => chains.find((chain) => chain.name === name);
const atRest = Object.fromEntries(hops.map(({ name, pids }) => [name, residentMib(pids) / 2]));

const small = {};
for (const [title, postBytes] of [
  ['GET 1 KiB', 0],
  ['POST 1 KiB', 1024],
  ['POST 16 KiB', 16_384],
]) {
  small[title] = await compare(chains, { postBytes, connections: CONNECTIONS }, PLAN);
  table(title, small[title], {
    'µs CPU': ({ cpuMicros }) => cpuMicros.toFixed(0),
    'spread %': ({ cpuMicros, spread }) => (cpuMicros > 0 ? (spread * 100).toFixed(0) : '–'),
    'requests/s': ({ perSecond }) => perSecond.toFixed(0),
  });
}
const loadedMib = Object.fromEntries(hops.map(({ name, pids }) => [name, residentMib(pids) / 2]));

const latency = {};
for (const chain of chains) {
  const all = await atRate(chain, { perSecond: RATE, seconds: PLAN.rateSeconds });
  latency[chain.name] = {
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    p999: quantile(all, 0.999),
  };
}
table(`Latency in ms at ${RATE} requests/s`, latency, {
  p50: ({ p50 }) => p50.toFixed(2),
  p99: ({ p99 }) => p99.toFixed(2),
  'p99.9': ({ p999 }) => p999.toFixed(2),
});

const bulk = Object.fromEntries(chains.map(({ name }) => [name, { down: [], up: [] }]));
for (let round = 0; round < PLAN.transfers; round += 1) {
  for (const chain of chains) {
    for (const direction of ['down', 'up'])
      bulk[chain.name][direction].push(await transfer(chain, direction));
  }
}
const speeds = Object.fromEntries(
  Object.entries(bulk).map(([name, { down, up }]) => [
    name,
    { down: quantile(down, 0.75), up: quantile(up, 0.75) },
  ]),
);
table('64 MiB, MiB/s', speeds, {
  down: ({ down }) => down.toFixed(0),
  up: ({ up }) => up.toFixed(0),
});

const sealed = named(SEALED);
const beforeStreams = residentMib(sealed.pids) / 2;
const closeStreams = await openStreams(sealed, PLAN.streams);
const streamsMib = residentMib(sealed.pids) / 2 - beforeStreams;
closeStreams();
const memory = Object.fromEntries(
  hops.map(({ name, pids }) => [
    name,
    { rest: atRest[name], loaded: loadedMib[name], peak: peakMib(pids) / 2 },
  ]),
);
table('Resident MiB a hop', memory, {
  'at rest': ({ rest }) => rest.toFixed(0),
  loaded: ({ loaded }) => loaded.toFixed(0),
  peak: ({ peak }) => peak.toFixed(0),
});

const growth = {};
for (const connections of [1, 8, 64, 256]) {
  growth[connections] = (await saturate(sealed, { connections, seconds: 3 })).perSecond;
}
const starts = { coldStartMs: await coldStartMs(), pairingMs: await pairingMs(sealed) };

const ratio = (kind, one, other) => small[kind][one].cpuMicros / small[kind][other].cpuMicros;
const ratios = {
  'CPU, GET 1 KiB: sealed / plain Fastify chain': ratio('GET 1 KiB', SEALED, PLAIN),
  'CPU, POST 1 KiB: sealed / plain Fastify chain': ratio('POST 1 KiB', SEALED, PLAIN),
  'requests/s, GET 1 KiB: sealed / plain Fastify chain':
    small['GET 1 KiB'][SEALED].perSecond / small['GET 1 KiB'][PLAIN].perSecond,
  'CPU, GET 1 KiB: with Redis / in memory': ratio('GET 1 KiB', SEALED_REDIS, SEALED),
  '64 MiB down: sealed / plain Fastify chain': speeds[SEALED].down / speeds[PLAIN].down,
  '64 MiB up: sealed / plain Fastify chain': speeds[SEALED].up / speeds[PLAIN].up,
  '64 MiB down: sealed / nginx mTLS': speeds[SEALED].down / speeds[NGINX].down,
  '64 MiB up: sealed / nginx mTLS': speeds[SEALED].up / speeds[NGINX].up,
  'p50 added over the plain Fastify chain, ms': latency[SEALED].p50 - latency[PLAIN].p50,
  'p99: sealed / plain Fastify chain': latency[SEALED].p99 / latency[PLAIN].p99,
  'RSS of a relay at 32 connections, MiB': loadedMib[SEALED],
  [`RSS added by ${PLAN.streams} event streams, MiB`]: streamsMib,
  'cold start to ready, ms': starts.coldStartMs,
  'pairing (first request), ms': starts.pairingMs,
};
console.log('\nRatios and figures');
for (const [name, value] of Object.entries(ratios))
  console.log(`  ${name.padEnd(56)} ${value.toFixed(2)}`);
console.log(`\nRequests/s of the sealed chain by connections: ${JSON.stringify(growth)}`);

const report = {
  machine: {
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    kernel: os.release(),
    node: process.version,
  },
  plan: PLAN,
  small,
  latency,
  speeds,
  memory,
  growth,
  ratios,
};
writeFileSync('docs/performance.json', `${JSON.stringify(report, null, 2)}\n`);
writeFileSync(
  'docs/performance.svg',
  chart('CPU time of two hops for a GET of 1 KiB', small['GET 1 KiB'], report.machine),
);
process.exit(0);

function table(title, rows, columns) {
  console.log(`\n${title}`);
  const names = Object.keys(columns);
  console.log(`  ${''.padEnd(28)}${names.map((name) => name.padStart(12)).join('')}`);
  for (const [name, row] of Object.entries(rows)) {
    console.log(
      `  ${name.padEnd(28)}${names.map((column) => columns[column](row).padStart(12)).join('')}`,
    );
  }
}

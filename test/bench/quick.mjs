import console from 'node:console';
import process from 'node:process';

import { readOptions } from '../../bin/arguments.js';
import {
  ALL,
  CHANNELS,
  PLAIN,
  TRACED,
  startChain,
  startChains,
  startUpstream,
} from './chains/index.mjs';
import { compare } from './measure/slices.mjs';
import { figureOf } from './report/results.mjs';
import { requireTools } from './tools.mjs';

/** CPU time per request, sealed to plain: the current ratio and some noise. docs/performance.md has the target. */
const MAX_RATIO = 1.2;
/** CPU time per request with one of ten traced, to that without traces. */
const MAX_TRACED_RATIO = 1.1;

const { traces } = readOptions(
  `Usage: npm run build && npm run bench:quick

Compares two relays with @fastify/http-proxy twice over plain HTTP, for GETs of 1 KiB, which the relays carry over channels, in
less than three minutes. The
exit code is 1 if the sealed chain costs more than ${MAX_RATIO} times as much CPU time. As root on Debian it installs wrk.

  --traces  compare two relays that trace one request of ten with two that trace none; the limit is ${MAX_TRACED_RATIO}`,
  { traces: { type: 'boolean', default: false } },
);
requireTools(['wrk']);
await startUpstream();
const [base, measured, limit] = traces
  ? [CHANNELS, TRACED, MAX_TRACED_RATIO]
  : [PLAIN, CHANNELS, MAX_RATIO];
const chains = [...(await startChains([base])), await startChain(measured, ALL.length)];
const result = await compare(chains, { connections: 32 }, { warmUpSeconds: 12, slices: 12 });
for (const [name, { cpuMicros, perSecond, spread }] of Object.entries(result)) {
  console.log(
    `${name.padEnd(28)} ${cpuMicros.toFixed(0).padStart(5)} µs CPU per request (spread ${(spread * 100).toFixed(0)} %), ${perSecond.toFixed(0)} requests/s`,
  );
}
const ratio = figureOf(result, measured).cpuMicros / figureOf(result, base).cpuMicros;
console.log(
  `${measured} costs ${ratio.toFixed(2)} times ${base} on Node.js ${process.versions.node}; the limit is ${limit}`,
);
process.exit(ratio <= limit ? 0 : 1);

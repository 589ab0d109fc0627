/**
 * `npm run bench:quick`: two sealed relays against @fastify/http-proxy twice in plain HTTP, 1 KiB GET, in one run of less
 * than three minutes. Ends with 1 where the sealed chain costs more than the stated ratio.
 *
 *   npm run build && npm run bench:quick
 */
import console from 'node:console';
import process from 'node:process';

import { PLAIN, SEALED, startChains, startUpstream } from './chains/index.mjs';
import { compare } from './measure/slices.mjs';
import { requireTools } from './tools.mjs';

/** CPU time a request, sealed to plain: what it is now, and some noise. docs/performance.md has the target. */
const MAX_RATIO = 3.6;

requireTools(['wrk']);
await startUpstream();
const chains = await startChains([PLAIN, SEALED]);
const result = await compare(chains, { connections: 32 }, { warmUpSeconds: 12, slices: 12 });
for (const [name, { cpuMicros, perSecond, spread }] of Object.entries(result)) {
  console.log(
    `${name.padEnd(28)} ${cpuMicros.toFixed(0).padStart(5)} µs CPU a request (spread ${(spread * 100).toFixed(0)} %), ${perSecond.toFixed(0)} requests/s`,
  );
}
const ratio = result[SEALED].cpuMicros / result[PLAIN].cpuMicros;
console.log(
  `sealed costs ${ratio.toFixed(2)} times the plain chain on Node.js ${process.versions.node}; at most ${MAX_RATIO} is allowed`,
);
process.exit(ratio <= MAX_RATIO ? 0 : 1);

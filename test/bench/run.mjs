import console from 'node:console';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

import { readOptions } from '../../bin/arguments.js';
import { startChains, startRedis, startUpstream } from './chains/index.mjs';
import { PARTS } from './parts.mjs';
import { planFor } from './plan.mjs';
import { save, show } from './report/files.mjs';
import { describeMachine, describeVersions } from './report/versions.mjs';
import { requireTools } from './tools.mjs';

/** @import { Figures, Report } from './report/results.mjs' */

const PART_NAMES = /** @type {(keyof Figures)[]} */ (Object.keys(PARTS));

const values = readOptions(
  `Usage: npm run build && npm run bench -- [options]

Measures what two relays cost, next to what a user would have instead, in one run of less than fifteen minutes. Writes
its figures to docs/performance/node-<major>.json, and from all reports there the figures of docs/performance.md and
the chart. As root on Debian it installs what it needs with apt-get (wrk, nginx, redis-server, openssl).

  --brief         fewer slices: less than six minutes
  --only <names>  single parts, printed as JSON and not written: ${PART_NAMES.join()}`,
  {
    brief: { type: 'boolean', default: false },
    only: { type: 'string', default: PART_NAMES.join() },
  },
);
const plan = planFor(values.brief);
const wanted = values.only.split(',');
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown}. The parts are ${PART_NAMES.join(', ')}.`);
  process.exit(1);
}

requireTools(['wrk', 'nginx', 'redis-server', 'openssl']);
await startUpstream();
const redisUrl = await startRedis();
const chains = await startChains(plan.chains);

/** @type {Record<string, unknown>} */
const figures = {};
for (const name of /** @type {(keyof Figures)[]} */ (wanted)) {
  const startMs = performance.now();
  figures[name] = await PARTS[name]({ chains, plan, redisUrl });
  console.error(`${name}: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
}

if (wanted.length < PART_NAMES.length) {
  console.log(JSON.stringify(figures, null, 2));
} else {
  /** @type {Report} */
  const report = {
    measuredOn: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: describeVersions(),
    plan,
    seconds: Math.round(performance.now() / 1000),
    .../** @type {Figures} */ (figures),
  };
  await save(report);
  console.log(await show(report));
}
process.exit(0);

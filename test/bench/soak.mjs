/** `npm run soak`: how the memory of two relays behaves over time. */
import console from 'node:console';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { readOptions } from '../../bin/arguments.js';
import { UPSTREAM_PORT, startUpstream } from './chains/index.mjs';
import { clientHeaders, startRelay } from './chains/relays.mjs';
import { listening } from './processes.mjs';
import { sendMixedLoad } from './soak/mixed-load.mjs';
import { figuresOf } from './soak/process-figures.mjs';
import { verdictOn } from './soak/verdict.mjs';

/** @import { Totals } from './soak/mixed-load.mjs' */
/** @import { Figures } from './soak/process-figures.mjs' */
/** @import { Series } from './soak/verdict.mjs' */

const MINUTE_MS = 60_000;
const USUAL_MINUTES = 30;
const USUAL_CONNECTIONS = 12;
const MIN_INTERVAL_MS = 1_000;
const SAMPLES = 360;
const PRINTED_LINES = 30;
/** A new session after so many messages, so that there are many renewals. */
const SESSION_MAX_MESSAGES = '10000';
const FIRST_PORT = UPSTREAM_PORT + 200;
const MAX_REPORTED_FAILURES = 5;
/** What the second half may add to the floor, and where it must stay. */
const CRITERIA = {
  rssMib: { maxRise: 8, limit: 200 },
  heapMib: { maxRise: 6 },
  descriptors: { maxRise: 4 },
};
const MEASURES = /** @type {(keyof Figures)[]} */ (Object.keys(CRITERIA));

const { minutes, connections } = readOptions(
  `Usage: npm run build && npm run soak -- [options]

Sends GETs and POSTs of 0 to 20,000 bytes through two relays, some as MTE, some of them aborted, with a new session after
every ${SESSION_MAX_MESSAGES} messages. Prints their memory and descriptors (Linux only). The exit code is 1 if a request
failed, or if in the second half the floor of RSS rose by more than ${CRITERIA.rssMib.maxRise} MiB or was above ${CRITERIA.rssMib.limit} MiB, that of the JavaScript heap
rose by more than ${CRITERIA.heapMib.maxRise} MiB, or the number of descriptors by more than ${CRITERIA.descriptors.maxRise}.

  --minutes <n>      (default: ${USUAL_MINUTES})
  --connections <n>  (default: ${USUAL_CONNECTIONS})`,
  {
    minutes: { type: 'string', default: String(USUAL_MINUTES) },
    connections: { type: 'string', default: String(USUAL_CONNECTIONS) },
  },
);
const lengthMs = Number(minutes) * MINUTE_MS;
if (!(lengthMs > 0 && Number.isInteger(Number(connections)) && Number(connections) > 0)) {
  console.error('--minutes and --connections must be positive numbers.');
  process.exit(2);
}

await startUpstream();
const relays = ['A', 'B'].map((name, at) => {
  const [port, adminPort] = [FIRST_PORT + 2 * at, FIRST_PORT + 2 * at + 1];
  const { pid = 0 } = startRelay(port, UPSTREAM_PORT, {
    ADMIN_PORT: String(adminPort),
    SESSION_MAX_MESSAGES,
  });
  return { name, port, adminPort, pid };
});
const [a, b] = relays;
if (a === undefined || b === undefined) {
  throw new Error('there are two relays');
}
await Promise.all(relays.flatMap(({ port, adminPort }) => [port, adminPort].map(listening)));

/** @type {Series[]} */
const series = relays.flatMap(({ name }) =>
  MEASURES.map((measure) => ({ name: `${name} ${measure}`, values: [], ...CRITERIA[measure] })),
);
/** @type {Totals} */
const totals = { completed: 0, aborted: 0, failed: 0 };
const startedMs = Date.now();
const load = sendMixedLoad(
  { port: a.port, headers: clientHeaders(b.port) },
  { connections: Number(connections), untilMs: startedMs + lengthMs },
  totals,
  (reason) => {
    if (totals.failed <= MAX_REPORTED_FAILURES) {
      console.error(`a request failed: ${reason}`);
    }
  },
);

/** @param {(string | number)[]} cells */
const printLine = (...cells) => {
  console.log(cells.map((cell) => String(cell).padStart(15)).join(''));
};
printLine('seconds', 'completed', 'aborted', 'failed', ...series.map(({ name }) => name));
const intervalMs = Math.max(MIN_INTERVAL_MS, lengthMs / SAMPLES);
let printAtMs = startedMs;
for (let atMs = startedMs + intervalMs; atMs <= startedMs + lengthMs; atMs += intervalMs) {
  await delay(atMs - Date.now());
  const figures = await Promise.all(relays.map(figuresOf));
  const values = figures.flatMap((of) => MEASURES.map((measure) => of[measure]));
  values.forEach((value, at) => series[at]?.values.push(value));
  if (atMs >= printAtMs) {
    printAtMs += lengthMs / PRINTED_LINES;
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const { completed, aborted, failed } = totals;
    printLine(seconds, completed, aborted, failed, ...values.map((value) => value.toFixed(0)));
  }
}
await load;

const verdicts = series.map(verdictOn);
console.log('\nsecond half, floor:');
for (const { name, rise, highest, isSteady } of verdicts) {
  const isUp = rise >= 0 ? '+' : '';
  console.log(
    `${name.padEnd(16)} ${isUp}${rise.toFixed(1)}, at most ${highest.toFixed(0)}: ${isSteady ? 'steady' : 'NOT STEADY'}`,
  );
}
const isSteady = verdicts.every((verdict) => verdict.isSteady);
console.log(
  `\n${isSteady ? 'Memory and descriptors are steady.' : 'Something rises.'} Failed requests: ${totals.failed}.`,
);
process.exit(isSteady && totals.failed === 0 ? 0 : 1);

/** `mte-api-relay check`: whether the tunnel to another relay works and, if not, at which step. */
import { performance } from 'node:perf_hooks';
import { readArguments, refuseArguments } from '../arguments.js';
import { requireBuild } from '../require-build.js';

/** @import { CheckRequest } from '../../apps/relay/src/check/request.js' */
/** @import { Step } from '../../apps/relay/src/check/steps.js' */

const MAX_LIMIT_SECONDS = 60;

const USAGE = `Usage: mte-api-relay check URL [--request GET /path] [--client NAME] [--timeout SECONDS] [--json]

Checks the tunnel from this relay to the one at URL, which may also be the name of a peer, with the environment, .env and files of
this relay. It runs beside the running relay, and disturbs it in nothing. Each step is one line: ✓, ✗ with the cause and what to do,
or – if the step does not apply. With --json, those that were not reached are there too.

  --request GET /path    sends this request to the API; without it, nothing reaches the API
  --client NAME          checks as this client of RELAY_CONFIG_FILE or DOMAIN_MAP, which may not reach every peer
  --timeout SECONDS      limit of each step, 1 to ${MAX_LIMIT_SECONDS}; 5 if it is not given. For pairing, messages and channels, the check
                         waits as long as the relay itself does
  --json                 prints one JSON object in place of the lines

Exit code 0: every step is ✓ or –; 1: a step is ✗; 2: wrong arguments.`;

const { values, positionals } = readArguments(USAGE, {
  client: { type: 'string' },
  json: { type: 'boolean', default: false },
  request: { type: 'string' },
  timeout: { type: 'string', default: '5' },
});
const [target, ...rest] = positionals;
// The path is the word after the method, or both are one word in quotes.
const request =
  values.request === undefined ? undefined : requestOf([values.request, ...rest].join(' '));
if (target === undefined || (request === undefined && rest.length > 0)) {
  refuseArguments(USAGE, 'exactly one URL or name of a peer is needed');
}
const limitMs = limitOf(values.timeout);

requireBuild();
const { check, lineOf, NOT_REACHED } = await import('#dist/apps/relay/src/check/index.js');

/** @type {string | undefined} */
let shownOrigin;
const report = await check({ target, client: values.client, request, limitMs, onStep });
// With the start of the command, which its user waits for as well.
const ms = Math.round(performance.now());
if (values.json) {
  console.log(JSON.stringify({ ...report, ms }));
} else {
  const origins = new Set(report.steps.map(({ origin }) => origin));
  const failed = report.steps
    .filter(({ ok }) => ok === false)
    .map(({ step, origin }) => (origins.size > 1 ? `${step} of ${origin}` : step));
  const consequence = report.requestsPass ? ' Requests pass, as messages.' : '';
  console.log(
    report.ok
      ? `The tunnel works. (${ms} ms)`
      : `Failed: ${failed.join(', ')}.${consequence} (${ms} ms)`,
  );
}
// What a step has given up on may still be under way.
process.exit(report.ok ? 0 : 1);

/** @param {Step} step */
function onStep(step) {
  if (values.json || step.detail === NOT_REACHED) {
    return;
  }
  if (step.origin !== undefined && step.origin !== shownOrigin) {
    shownOrigin = step.origin;
    console.log(`To ${shownOrigin}:`);
  }
  console.log(lineOf(step));
}

/**
 * @param {string} text
 * @returns {CheckRequest}
 */
function requestOf(text) {
  const { method, path } = /^(?<method>[A-Z]+) (?<path>\/[\x21-\x7e]*)$/.exec(text)?.groups ?? {};
  return method === undefined || path === undefined || method === 'CONNECT'
    ? refuseArguments(USAGE, '--request must be a method and a path, such as GET /health')
    : { method, path };
}

/**
 * @param {string} text
 * @returns {number} in ms
 */
function limitOf(text) {
  const seconds = Number(text);
  return seconds >= 1 && seconds <= MAX_LIMIT_SECONDS
    ? Math.round(seconds * 1000)
    : refuseArguments(USAGE, `--timeout must be 1 to ${MAX_LIMIT_SECONDS}`);
}

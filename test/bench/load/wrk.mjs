/** As many requests as a chain can carry. wrk generates them, because its own CPU time is small. */
import { execFile } from 'node:child_process';
import { URL, fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** @import { Chain } from '../chains/index.mjs' */

/**
 * The requests of a slice: GETs of 1 KiB, unless one of the first two optional fields is set.
 *
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} [postBytes] - POSTs with a body of that size
 * @property {number} [peers] - GETs through that number of peers in turn
 * @property {string} [path] - another path than that of 1 KiB
 */

const run = promisify(execFile);
/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const FAILURES = /(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)/g;

/**
 * @param {Chain} chain
 * @param {Load} load
 */
function scriptFor(chain, { postBytes = 0, peers = 1 }) {
  if (postBytes > 0) {
    return { name: 'post.lua', args: [postBytes] };
  }
  if (peers > 1) {
    return { name: 'peers.lua', args: [chain.peerPort, peers] };
  }
  return undefined;
}

/**
 * @param {Chain} chain
 * @param {Load & { seconds: number }} load
 * @returns the number of responses, in total and per second
 * @throws if a request failed
 */
export async function saturate(chain, load) {
  const headers = Object.entries(chain.headers).map(([name, value]) => ['-H', `${name}: ${value}`]);
  const extra = scriptFor(chain, load);
  const { stdout } = await run('wrk', [
    ...['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '60s'],
    ...headers.flat(),
    ...(extra === undefined ? [] : ['-s', script(extra.name)]),
    `http://127.0.0.1:${chain.port}${load.path ?? '/1k'}`,
    ...(extra === undefined ? [] : ['--', ...extra.args.map(String)]),
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const failures = [...stdout.matchAll(FAILURES)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  if (failures > 0 || (requests === 0 && load.path === undefined)) {
    throw new Error(`${chain.name}: ${failures} requests failed, ${requests} succeeded`);
  }
  return { requests, perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]) };
}

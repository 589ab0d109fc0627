/** Two relays, as `npm run build` built them. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { start } from '../processes.mjs';

/** @import { Ports } from './index.mjs' */

/** @param {string} name */
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const MAIN = path('../../../dist/apps/relay/src/main.js');
const ON_BARE_FASTIFY = path('bare-relay.mjs');
/** What all relays of the benchmark share. */
export const SECRET = randomBytes(32).toString('base64');
const TOKEN = randomBytes(24).toString('base64');

const launcher = readFileSync(path('../../../bin/mte-api-relay'), 'utf8');
/** The V8 flags of `mte-api-relay start`. */
const START_FLAGS = launcher.match(/(?<=\s)--(?=no-|max-)[\w=-]+/g) ?? [];
/** What `mte-api-relay start` sets for the allocator; BENCH_ALLOCATOR=usual leaves it out. */
const ALLOCATOR =
  process.env.BENCH_ALLOCATOR === 'usual'
    ? {}
    : Object.fromEntries(
        [...launcher.matchAll(/\b(MALLOC_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
      );
/** The Node.js flags of every relay; BENCH_NODE_FLAGS replaces them. */
export const NODE_FLAGS = process.env.BENCH_NODE_FLAGS?.split(' ') ?? START_FLAGS;

/**
 * The headers that a client of the first relay must send.
 *
 * @param {number} middlePort
 * @returns {Record<string, string>}
 */
export const clientHeaders = (middlePort) => ({
  'x-mte-outbound-token': TOKEN,
  'x-mte-upstream': `http://127.0.0.1:${middlePort}`,
});

/**
 * @param {number} port
 * @param {number} upstreamPort
 * @param {NodeJS.ProcessEnv} env - besides what every relay needs
 * @param {string} main - the module to run
 */
export function startRelay(port, upstreamPort, env = {}, main = MAIN) {
  return start(process.execPath, [...NODE_FLAGS, main], {
    UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    CLIENT_ID_SECRET: SECRET,
    OUTBOUND_TOKEN: TOKEN,
    REDIS_URL: 'memory://',
    // Makes every address of the loopback network another name of the relay, and thus another peer.
    HOST: '0.0.0.0',
    PORT: String(port),
    NODE_ENV: 'production',
    ...ALLOCATOR,
    ...env,
  });
}

/**
 * @param {Ports} ports
 * @param {NodeJS.ProcessEnv} env
 * @param {string} main
 */
export function startRelayChain({ entryPort, middlePort, upstreamPort }, env = {}, main = MAIN) {
  return [entryPort, middlePort].map((port) => startRelay(port, upstreamPort, env, main));
}

/**
 * The same chain without Nest between Fastify and the handlers.
 *
 * @param {Ports} ports
 * @param {NodeJS.ProcessEnv} env
 */
export const startBareRelayChain = (ports, env) => startRelayChain(ports, env, ON_BARE_FASTIFY);

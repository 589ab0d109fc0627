/** Two relays, as `npm run build` made them. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { start } from '../processes.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const MAIN = path('../../../dist/apps/relay/src/main.js');
const ON_BARE_FASTIFY = path('bare-relay.mjs');
const SECRET = randomBytes(32).toString('base64');
const TOKEN = Buffer.alloc(24, 'token').toString();

/** As `npm start` and the image have them. */
const { scripts } = JSON.parse(readFileSync(path('../../../package.json'), 'utf8'));
const START_FLAGS = scripts.start.match(/--[\w=-]+/g);
/** Flags of Node.js for every relay; others can be tried. */
export const NODE_FLAGS = process.env.BENCH_NODE_FLAGS?.split(' ') ?? START_FLAGS;

/** What a client of the first relay has to send. */
export const clientHeaders = (middlePort) => ({
  'x-mte-outbound-token': TOKEN,
  'x-mte-upstream': `http://127.0.0.1:${middlePort}`,
});

/** @param env - beyond what every relay needs */
export function startRelay(port, upstreamPort, env = {}, main = MAIN) {
  return start(process.execPath, [...NODE_FLAGS, main], {
    UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    CLIENT_ID_SECRET: SECRET,
    OUTBOUND_TOKEN: TOKEN,
    REDIS_URL: 'memory://',
    // Every address of the loopback network is then another name of the relay, and another peer.
    HOST: '0.0.0.0',
    PORT: String(port),
    NODE_ENV: 'production',
    ...env,
  });
}

export function startRelayChain({ entryPort, middlePort, upstreamPort }, env, main) {
  return [entryPort, middlePort].map((port) => startRelay(port, upstreamPort, env, main));
}

/** The same without Nest between Fastify and the handlers. */
export const startBareRelayChain = (ports) => startRelayChain(ports, {}, ON_BARE_FASTIFY);

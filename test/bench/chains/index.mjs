/** What is compared: each chain of two hops between a load generator and the same API. */
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { listening, start } from '../processes.mjs';
import { startNginxChain } from './nginx.mjs';
import { clientHeaders, startBareRelayChain, startRelayChain } from './relays.mjs';

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const FIRST_PORT = 17_000;
const REDIS_PORT = 16_379;
export const UPSTREAM_PORT = FIRST_PORT;

const node = (name, port, target) =>
  start(process.execPath, [script(name)], {
    PORT: String(port),
    TARGET: `http://127.0.0.1:${target}`,
    NODE_ENV: 'production',
  });
const twice =
  (name) =>
  ({ entryPort, middlePort, upstreamPort }) => [
    node(name, entryPort, middlePort),
    node(name, middlePort, upstreamPort),
  ];

export const DIRECT = 'direct';
export const NGINX = 'nginx, mTLS';
export const PLAIN = '@fastify/http-proxy, plain';
export const SEALED = 'relays, memory';
export const SEALED_REDIS = 'relays, Redis';
/** The relays without Nest's part of a request; only to tell what that part costs. */
export const BARE = 'relays, bare Fastify';

const REDIS_URL = `redis://127.0.0.1:${REDIS_PORT}`;
const KINDS = {
  [NGINX]: { run: startNginxChain },
  [PLAIN]: { run: twice('fastify-proxy.mjs') },
  'http-proxy, plain': { run: twice('http-proxy.mjs') },
  [SEALED]: { run: startRelayChain, isSealed: true },
  [SEALED_REDIS]: { run: (ports) => startRelayChain(ports, { REDIS_URL }), isSealed: true },
  [BARE]: { run: startBareRelayChain, isSealed: true },
};
export const ALL = [DIRECT, ...Object.keys(KINDS)];

export async function startUpstream() {
  start(process.execPath, [script('../upstream.mjs')], { PORT: String(UPSTREAM_PORT) });
  await listening(UPSTREAM_PORT);
}

/** @returns its URL */
export async function startRedis() {
  start('redis-server', [
    '--port',
    String(REDIS_PORT),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ]);
  await listening(REDIS_PORT);
  return REDIS_URL;
}

/** Starts chains by name; each has the port of its entry, the headers that it wants, and the processes of its hops. */
export async function startChains(names) {
  const chains = [];
  for (const name of names) chains.push(await startChain(name, ALL.indexOf(name)));
  return chains;
}

/** @param at - no other chain that runs has the same: its ports follow from it */
export async function startChain(name, at) {
  if (name === DIRECT) return { name, port: UPSTREAM_PORT, headers: {}, pids: [] };
  const entryPort = FIRST_PORT + 10 * at;
  const ports = { entryPort, middlePort: entryPort + 1, upstreamPort: UPSTREAM_PORT };
  const { run, isSealed = false } = KINDS[name];
  const children = run(ports);
  await Promise.all([listening(ports.entryPort), listening(ports.middlePort)]);
  return {
    name,
    port: entryPort,
    peerPort: ports.middlePort,
    headers: isSealed ? clientHeaders(ports.middlePort) : {},
    pids: children.map(({ pid }) => pid),
    children,
  };
}

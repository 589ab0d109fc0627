/** What is compared: each chain of two hops between a load generator and the same API. */
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { listening, start } from '../processes.mjs';
import { startNginxChain } from './nginx.mjs';
import { clientHeaders, startRelayChain } from './relays.mjs';

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

const KINDS = {
  'nginx, mTLS': { run: startNginxChain },
  '@fastify/http-proxy, plain': { run: twice('fastify-proxy.mjs') },
  'http-proxy, plain': { run: twice('http-proxy.mjs') },
  'relays, memory': { run: startRelayChain, isSealed: true },
  'relays, Redis': {
    run: (ports) => startRelayChain(ports, { REDIS_URL: `redis://127.0.0.1:${REDIS_PORT}` }),
    isSealed: true,
  },
};
export const PLAIN = '@fastify/http-proxy, plain';
export const NGINX = 'nginx, mTLS';
export const SEALED = 'relays, memory';
export const SEALED_REDIS = 'relays, Redis';
export const DIRECT = 'direct';
export const ALL = [DIRECT, ...Object.keys(KINDS)];

export async function startUpstream() {
  const upstream = start(process.execPath, [script('../upstream.mjs')], {
    PORT: String(UPSTREAM_PORT),
  });
  await listening(UPSTREAM_PORT);
  return upstream;
}

export async function startRedis() {
  const redis = start('redis-server', [
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
  return redis;
}

/** Starts chains by name; each has the port of its entry, the headers that it wants, and the processes of its hops. */
export async function startChains(names) {
  const chains = [];
  for (const [at, name] of names.entries()) {
    if (name === DIRECT) {
      chains.push({ name, port: UPSTREAM_PORT, headers: {}, pids: [] });
      continue;
    }
    const entryPort = FIRST_PORT + 10 * (at + 1);
    const ports = { entryPort, middlePort: entryPort + 1, upstreamPort: UPSTREAM_PORT };
    const { run, isSealed = false } = KINDS[name];
    const startedAtMs = Date.now();
    const children = run(ports);
    await Promise.all([listening(ports.entryPort), listening(ports.middlePort)]);
    chains.push({
      name,
      port: entryPort,
      headers: isSealed ? clientHeaders(ports.middlePort) : {},
      pids: children.map(({ pid }) => pid),
      children,
      startMs: Date.now() - startedAtMs,
    });
  }
  return chains;
}

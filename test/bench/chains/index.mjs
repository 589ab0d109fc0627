/** The chains that are compared: each has two hops between a load generator and the same API. */
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { listening, pidsOf, start } from '../processes.mjs';
import { startNginxChain, startPlainNginxChain } from './nginx.mjs';
import { clientHeaders, startBareRelayChain, startRelayChain } from './relays.mjs';

/** @import { ChildProcess } from 'node:child_process' */

/**
 * The ports on which the two hops of a chain and the API listen.
 *
 * @typedef {object} Ports
 * @property {number} entryPort
 * @property {number} middlePort
 * @property {number} upstreamPort
 */

/**
 * A chain that is running.
 *
 * @typedef {object} Chain
 * @property {string} name
 * @property {number} port - of its entry
 * @property {number} peerPort - of its last hop
 * @property {Record<string, string>} headers - what a request to it must have
 * @property {ChildProcess[]} children - the processes of its hops
 * @property {number[]} pids
 */

/**
 * How to start a chain.
 *
 * @typedef {object} Kind
 * @property {(ports: Ports) => ChildProcess[]} run
 * @property {boolean} [isSealed]
 */

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const FIRST_PORT = 17_000;
const REDIS_PORT = 16_379;
export const UPSTREAM_PORT = FIRST_PORT;

/**
 * @param {string} name
 * @param {number} port
 * @param {number} nextPort - of the next hop
 */
const startNode = (name, port, nextPort) =>
  start(process.execPath, [script(name)], {
    PORT: String(port),
    TARGET: `http://127.0.0.1:${nextPort}`,
    NODE_ENV: 'production',
  });

/**
 * Two hops that run the same script.
 *
 * @param {string} name
 * @returns {Kind['run']}
 */
const twice =
  (name) =>
  ({ entryPort, middlePort, upstreamPort }) => [
    startNode(name, entryPort, middlePort),
    startNode(name, middlePort, upstreamPort),
  ];

export const DIRECT = 'direct';
export const NGINX = 'nginx, mTLS';
export const NGINX_PLAIN = 'nginx, plain';
export const PLAIN = '@fastify/http-proxy, plain';
export const HTTP_PROXY = 'http-proxy, plain';
export const CHANNELS = 'relays, channels';
export const CHANNELS_REDIS = 'relays, channels, Redis';
export const MESSAGES = 'relays, messages';
/** The relays with a collector, which is the API, and one trace of ten recorded. */
export const TRACED = 'relays, channels, traced';
/** The relays without Nest's part of a request, which shows what that part costs. */
export const BARE = 'relays, messages, bare Fastify';

/** Every request goes the same way, from the first on. */
const OVER_CHANNELS = { TUNNEL_TRANSPORT: 'channel' };
const AS_MESSAGES = { TUNNEL_TRANSPORT: 'message' };
const TRACED_TENTH = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${FIRST_PORT}`,
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.1',
};
const REDIS_URL = `redis://127.0.0.1:${REDIS_PORT}`;
/** @type {Record<string, Kind>} */
const KINDS = {
  [NGINX]: { run: startNginxChain },
  [PLAIN]: { run: twice('fastify-proxy.mjs') },
  [HTTP_PROXY]: { run: twice('http-proxy.mjs') },
  [CHANNELS]: { run: (ports) => startRelayChain(ports, OVER_CHANNELS), isSealed: true },
  [CHANNELS_REDIS]: {
    run: (ports) => startRelayChain(ports, { ...OVER_CHANNELS, REDIS_URL }),
    isSealed: true,
  },
  [MESSAGES]: { run: (ports) => startRelayChain(ports, AS_MESSAGES), isSealed: true },
  [BARE]: { run: (ports) => startBareRelayChain(ports, AS_MESSAGES), isSealed: true },
  [NGINX_PLAIN]: { run: startPlainNginxChain },
  [TRACED]: {
    run: (ports) => startRelayChain(ports, { ...OVER_CHANNELS, ...TRACED_TENTH }),
    isSealed: true,
  },
};
/** Only upgraded connections are compared with nginx in plaintext, and only relays with one that is traced. */
const APART = [NGINX_PLAIN, TRACED];
/** The chains that carry requests. */
export const ALL = [DIRECT, ...Object.keys(KINDS).filter((name) => !APART.includes(name))];

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

/**
 * Starts the named chains.
 *
 * @param {string[]} names
 */
export async function startChains(names) {
  const chains = [];
  for (const name of names) {
    chains.push(await startChain(name, ALL.indexOf(name)));
  }
  return chains;
}

/**
 * @param {string} name
 * @param {number} at - determines the ports, so each running chain needs a different one
 * @returns {Promise<Chain>}
 */
export async function startChain(name, at) {
  if (name === DIRECT) {
    const port = UPSTREAM_PORT;
    return { name, port, peerPort: port, headers: {}, children: [], pids: [] };
  }
  const kind = KINDS[name];
  if (kind === undefined) {
    throw new Error(`no such chain: ${name}`);
  }
  const entryPort = FIRST_PORT + 10 * at;
  const ports = { entryPort, middlePort: entryPort + 1, upstreamPort: UPSTREAM_PORT };
  const children = kind.run(ports);
  await Promise.all([listening(ports.entryPort), listening(ports.middlePort)]);
  return {
    name,
    port: entryPort,
    peerPort: ports.middlePort,
    headers: kind.isSealed === true ? clientHeaders(ports.middlePort) : {},
    children,
    pids: pidsOf(children),
  };
}

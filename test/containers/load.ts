import { setTimeout as delay } from 'node:timers/promises';

import { docker, logsOf } from './engine.js';

/**
 * The program of a container on the relays' network: `WORKERS` clients that send one request after another, each on a
 * new connection, until SIGTERM or until `SECONDS` have passed. Then it prints one line for each request.
 */
const CLIENT = String.raw`
const http = require('node:http');
const { TARGET, PEER, TOKEN, SECONDS, WORKERS } = process.env;
const results = [];
let isOver = false;
const send = (id, method) => new Promise((resolve) => {
  const startedAt = Date.now();
  const end = (status, body) => resolve({ id, method, status, body, startedAt, ms: Date.now() - startedAt });
  const request = http.request(TARGET + '/load/' + id + '?delayMs=20', {
    method,
    agent: false,
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': PEER, 'content-type': 'text/plain' },
  }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.once('error', (error) => end(0, String(error)));
    response.once('end', () => end(response.statusCode, response.statusCode === 200 ? '' : String(Buffer.concat(chunks))));
  });
  request.setTimeout(30000, () => request.destroy(new Error('no response in 30 s')));
  request.once('error', (error) => end(0, String(error)));
  request.end(method === 'GET' ? undefined : 'a body of ' + id);
});
const work = async (worker) => {
  for (let n = 0; !isOver; n += 1) {
    results.push(await send(worker + '-' + n, n % 2 === 0 ? 'GET' : 'POST'));
  }
};
process.once('SIGTERM', () => { isOver = true; });
setTimeout(() => { isOver = true; }, SECONDS * 1000).unref();
Promise.all(Array.from({ length: Number(WORKERS) }, (_, worker) => work(worker))).then(() => {
  process.stdout.write(results.map((result) => JSON.stringify(result)).join('\n') + '\n');
});
`;

const WORKERS = 4;
const LIMIT_SECONDS = 300;

/** One request as its client saw it; status 0 if there was no response. */
export interface Outcome {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly status: number;
  /** The body of a response other than 200. */
  readonly body: string;
  readonly startedAt: number;
  readonly ms: number;
}

/** A load that is running. */
export interface Load {
  /** Stops sending, waits for every request to end, and returns all outcomes. */
  stop(): Promise<readonly Outcome[]>;
}

/** Sends GET and POST in turn, on new connections, from a container on the given network. */
export async function startLoad(options: {
  readonly image: string;
  readonly network: string;
  readonly target: string;
  readonly peer: string;
  readonly token: string;
}): Promise<Load> {
  const variables = {
    TARGET: options.target,
    PEER: options.peer,
    TOKEN: options.token,
    SECONDS: LIMIT_SECONDS,
    WORKERS,
  };
  const container = await docker(
    ...['run', '--detach', '--network', options.network],
    ...Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...['--entrypoint', 'node', options.image, '-e', CLIENT],
  );
  return {
    stop: async () => {
      await docker('stop', '--time', '60', container);
      const outcomes = (await logsOf(container))
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Outcome);
      await docker('rm', '--force', container);
      return outcomes;
    },
  };
}

/** Runs `during` under load, which begins before it and ends after it. */
export async function underLoad(
  load: Load,
  during: () => Promise<unknown>,
): Promise<readonly Outcome[]> {
  await delay(2_000);
  try {
    await during();
    await delay(5_000);
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}

/** How often the upstream received each id, according to its log. */
export function executions(upstreamLog: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, id] of upstreamLog.matchAll(/^(?:GET|POST) \/load\/([\d-]+)\?/gm)) {
    if (id !== undefined) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

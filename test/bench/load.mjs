/** The loads: wrk for as much as goes through, a steady rate for latency, and single transfers. */
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { URL, fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POST_SCRIPT = fileURLToPath(new URL('post.lua', import.meta.url));
const PIECE = Buffer.alloc(65_536, 'x');
const BULK_BYTES = 64 * 1024 * 1024;

/** @returns the number of answers, and how many of them were none or not 2xx */
export async function saturate(chain, { postBytes = 0, connections, seconds }) {
  const headers = Object.entries(chain.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const method = postBytes > 0 ? ['-s', POST_SCRIPT] : [];
  const url = `http://127.0.0.1:${chain.port}/1k`;
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '10s',
    ...headers,
    ...method,
    url,
  ];
  const { stdout } = await run('wrk', [...args, '--', String(postBytes)]);
  const [, requests] = /(\d+) requests in/.exec(stdout) ?? [];
  const [, perSecond] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  const failed = [
    ...stdout.matchAll(/(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)/g),
  ];
  return {
    requests: Number(requests),
    perSecond: Number(perSecond),
    failures: failed.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

function exchange(chain, agent, { method = 'GET', path = '/1k', body } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port: chain.port, host: '127.0.0.1', method, path, agent, headers: chain.headers },
      (answer) => {
        let bytes = 0;
        answer.on('data', (chunk) => (bytes += chunk.length));
        answer.once('end', () => resolve({ status: answer.statusCode, bytes }));
        answer.once('error', reject);
      },
    );
    outgoing.once('error', reject);
    if (body === undefined) outgoing.end();
    else void body(outgoing).catch(reject);
  });
}

/** @returns the status of one GET */
export async function get(port, path, headers = {}) {
  const { status } = await exchange({ port, headers }, false, { path });
  return status;
}

/** Latencies in ms of requests that start at fixed times, whether or not earlier ones have been answered. */
export async function atRate(chain, { perSecond, seconds }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const startMs = performance.now();
  const latencies = [];
  const pending = [];
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const dueMs = startMs + (sent * 1000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const sentMs = performance.now();
    pending.push(exchange(chain, agent).then(() => latencies.push(performance.now() - sentMs)));
  }
  await Promise.all(pending);
  agent.destroy();
  return latencies.sort((one, other) => one - other);
}

/** One transfer of 64 MiB. @returns MiB a second */
export async function transfer(chain, direction) {
  const agent = new Agent({ keepAlive: true });
  const startMs = performance.now();
  if (direction === 'down') {
    const { bytes } = await exchange(chain, agent, { path: '/bulk' });
    if (bytes !== BULK_BYTES) throw new Error(`${chain.name}: ${bytes} bytes arrived`);
  } else {
    const { status } = await exchange(chain, agent, { method: 'PUT', path: '/bulk', body: upload });
    if (status !== 200) throw new Error(`${chain.name}: upload was answered with ${status}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  agent.destroy();
  return BULK_BYTES / 2 ** 20 / seconds;
}

async function upload(outgoing) {
  outgoing.setHeader('content-length', BULK_BYTES);
  for (let sent = 0; sent < BULK_BYTES; sent += PIECE.length) {
    if (!outgoing.write(PIECE)) await new Promise((resolve) => outgoing.once('drain', resolve));
  }
  outgoing.end();
}

/** Opens event streams and waits for the first event of each. @returns what closes them */
export async function openStreams(chain, count) {
  const requests = [];
  for (let at = 0; at < count; at += 1) {
    await new Promise((resolve, reject) => {
      const outgoing = request(
        {
          port: chain.port,
          host: '127.0.0.1',
          path: '/events',
          agent: false,
          headers: chain.headers,
        },
        (answer) => {
          answer.once('data', resolve).on('error', () => undefined);
        },
      );
      outgoing.once('error', reject).end();
      requests.push(outgoing);
    });
  }
  return () => {
    for (const outgoing of requests) outgoing.destroy();
  };
}

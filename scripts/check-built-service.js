/** Starts the built service as an operator would, asks for its echo, stops it, and wants exit code 0. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 20_000;
const RETRY_INTERVAL_MS = 100;

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Asks until the service answers; gives up when it exits or the time is over. */
async function waitForEcho(url, service) {
  const deadline = Date.now() + START_LIMIT_MS;
  while (service.exitCode === null && Date.now() < deadline) {
    try {
      return await (
        await fetch(url, { signal: AbortSignal.timeout(RETRY_INTERVAL_MS * 20) })
      ).json();
    } catch {
      // It is not listening yet: the next attempt, or the deadline, decides.
      await delay(RETRY_INTERVAL_MS);
    }
  }
  throw new Error(`the service did not answer ${url}`);
}

async function check() {
  const port = await findFreePort();
  const service = spawn(process.execPath, [resolve('scripts/start.js')], {
    // Away from the .env file of whoever runs this.
    cwd: tmpdir(),
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      UPSTREAM: 'http://127.0.0.1:9',
      CLIENT_ID_SECRET: randomBytes(32).toString('base64url'),
      OUTBOUND_TOKEN: randomBytes(32).toString('base64url'),
      REDIS_URL: 'memory://',
    },
  });
  try {
    const answer = await waitForEcho(`http://127.0.0.1:${port}/api/mte-echo`, service);
    if (answer.echo !== 'test') throw new Error(`the echo was ${JSON.stringify(answer)}`);
    service.kill('SIGTERM');
    const [exitCode, signal] =
      service.exitCode === null
        ? await once(service, 'exit', { signal: AbortSignal.timeout(STOP_LIMIT_MS) })
        : [service.exitCode, null];
    if (exitCode !== 0) throw new Error(`SIGTERM ended the service with ${exitCode ?? signal}`);
  } finally {
    service.kill('SIGKILL');
  }
}

try {
  await check();
  console.log('The built service starts, answers /api/mte-echo and stops with exit code 0.');
} catch (error) {
  console.error(`The built service fails its check: ${error.message}`);
  process.exitCode = 1;
}

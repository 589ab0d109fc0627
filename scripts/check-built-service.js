/**
 * Checks the build: it holds no tests, and the service that is in it starts as an operator would start it, responds
 * on `/api/mte-echo`, and stops on SIGTERM with exit code 0.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { AddressInfo } from 'node:net' */

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 20_000;
const REQUEST_LIMIT_MS = 2_000;
const RETRY_INTERVAL_MS = 100;
const TEST_FILE = /\.(spec|contract)\.|^test\b/;

/** Tests in the build would be shipped with the image, and would need what only a development install has. */
function checkThatNoTestsAreBuilt() {
  const files = readdirSync('dist', { recursive: true, encoding: 'utf8' });
  const tests = files.filter((file) => TEST_FILE.test(file));
  if (tests.length > 0) {
    throw new Error(`dist contains tests: ${tests.join(', ')}`);
  }
}

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {AddressInfo} */ (server.address());
  server.close();
  return port;
}

/**
 * Requests the echo until the service responds, and gives up when the service exits or the time limit is reached.
 *
 * @param {string} url
 * @param {ChildProcess} service
 * @returns {Promise<unknown>} the decoded body of the response
 */
async function waitForEcho(url, service) {
  const deadline = Date.now() + START_LIMIT_MS;
  while (service.exitCode === null && Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
      return await response.json();
    } catch {
      // The service is not listening yet: the next attempt or the deadline decides.
      await delay(RETRY_INTERVAL_MS);
    }
  }
  throw new Error(`the service did not respond to a request for ${url}`);
}

/**
 * @param {ChildProcess} service
 * @returns {Promise<[number | null, NodeJS.Signals | null]>} how the service ended
 */
async function waitForExit(service) {
  if (service.exitCode !== null) {
    return [service.exitCode, null];
  }
  const [exitCode, signal] = await once(service, 'exit', {
    signal: AbortSignal.timeout(STOP_LIMIT_MS),
  });
  return [exitCode, signal];
}

async function checkService() {
  const port = await findFreePort();
  const service = spawn(resolve('bin/mte-api-relay'), ['start'], {
    // A folder without an .env file, so that the developer's own settings have no effect.
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
    const body = await waitForEcho(`http://127.0.0.1:${port}/api/mte-echo`, service);
    const { echo } = /** @type {{ echo?: unknown }} */ (body);
    if (echo !== 'test') {
      throw new Error(`the echo was ${JSON.stringify(body)}`);
    }
    service.kill('SIGTERM');
    const [exitCode, signal] = await waitForExit(service);
    if (exitCode !== 0) {
      throw new Error(`SIGTERM ended the service with ${exitCode ?? signal}`);
    }
  } finally {
    service.kill('SIGKILL');
  }
}

try {
  checkThatNoTestsAreBuilt();
  await checkService();
  console.log(
    'The build holds no tests; the built service starts, responds on /api/mte-echo and stops with exit code 0.',
  );
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(`The built service failed its check: ${reason}`);
  process.exitCode = 1;
}

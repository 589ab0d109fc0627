import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './checks.js';
import { forkChild } from './children.js';

const START_LIMIT_MS = 30_000;
const WARN_LEVEL = 40;

/**
 * Starts a relay on a free loopback port.
 *
 * @param onLine - gets every line of its log from then on, decoded
 * @returns its origin, once it listens
 */
export async function startRelay(name, env, onLine) {
  const module = fileURLToPath(new URL('attached-relay.js', import.meta.url));
  const child = forkChild(name, module, {
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: 'memory://',
    SHUTDOWN_TIMEOUT_MS: '1000',
    ...env,
  });
  let hasStarted = false;
  const listening = new Promise((resolve) => {
    createInterface(child.stdout).on('line', (text) => {
      const line = decodeLine(text);
      if (hasStarted) onLine(line);
      if (line.msg === 'relay is listening') {
        // What it said until now is about its environment, which is the demo's own.
        hasStarted = true;
        resolve(new URL(line.address).origin);
      }
    });
  });
  return within(START_LIMIT_MS, `the start of ${name}`, listening);
}

function decodeLine(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Not from the relay's log, so worth showing as it is.
    return { level: WARN_LEVEL, msg: text };
  }
}

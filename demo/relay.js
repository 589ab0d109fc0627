import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './checks.js';
import { forkChild } from './children.js';

/**
 * A line of a relay's log. Fields besides these two depend on the message.
 *
 * @typedef {object} LogLine
 * @property {number} level
 * @property {string} msg
 * @property {string} [address]
 * @property {string} [code]
 * @property {number} [ms]
 */

const START_LIMIT_MS = 30_000;
const WARN_LEVEL = 40;

/**
 * Starts a relay on a free loopback port.
 *
 * @param {string} name - names the relay in messages
 * @param {Record<string, string>} env
 * @param {(line: LogLine) => void} onLine - gets every line that the relay logs once it listens
 * @returns {Promise<string>} its origin, once it listens
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
  /** @type {Promise<string>} */
  const listening = new Promise((resolve) => {
    createInterface(child.stdout).on('line', (text) => {
      const line = decodeLine(text);
      if (hasStarted) {
        onLine(line);
      }
      if (line.msg === 'relay is listening' && line.address !== undefined) {
        // Earlier lines are about the environment, which the demo has chosen.
        hasStarted = true;
        resolve(new URL(line.address).origin);
      }
    });
  });
  return within(START_LIMIT_MS, `the start of ${name}`, listening);
}

/**
 * @param {string} text
 * @returns {LogLine}
 */
function decodeLine(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Not a line of the relay's log, so worth showing unchanged.
    return { level: WARN_LEVEL, msg: text };
  }
}

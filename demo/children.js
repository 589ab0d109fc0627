/**
 * The child processes of the demo. Each leads its own process group, so that Ctrl-C in a terminal reaches only the
 * demo, which then ends its children in order.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { Readable } from 'node:stream' */

/**
 * A child that `forkChild` started: its output is piped to the demo.
 *
 * @typedef {ChildProcess & { stdout: Readable, stderr: Readable }} ForkedChild
 */

const STOP_LIMIT_MS = 3_000;
const MAX_TAIL_CHARACTERS = 2_000;

/**
 * The children that have not ended yet.
 *
 * @type {Set<ChildProcess>}
 */
const running = new Set();
let isEnding = false;
/** @type {(reason: Error) => void} */
let reportDeath;

/**
 * Rejects as soon as a child ends that the demo still needs.
 *
 * @type {Promise<never>}
 */
export const childDeath = new Promise((_, reject) => {
  reportDeath = reject;
});
childDeath.catch(() => undefined);

/**
 * Starts a module as a child that runs until `endChildren`. Its channel to the demo closes when the demo ends.
 *
 * @param {string} name - names the child in messages
 * @param {string} module
 * @param {Record<string, string>} env - its whole environment, besides PATH
 */
export function forkChild(name, module, env = {}) {
  const child = /** @type {ForkedChild} */ (
    fork(module, {
      // A folder without an .env file, so that the developer's own settings have no effect.
      cwd: import.meta.dirname,
      env: { PATH: process.env.PATH, ...env },
      execArgv: [],
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
  );
  const lastOutput = tailOf(child.stderr);
  watch(child);
  child.once('exit', (code, signal) => {
    if (!isEnding) {
      reportDeath(new Error(`${name} ended unexpectedly (${code ?? signal})${lastOutput()}`));
    }
  });
  return child;
}

/**
 * Runs a Node.js script until it ends.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<boolean>} true if it succeeded
 */
export async function runScript(file, args, cwd) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', 2, 2],
  });
  watch(child);
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** Ends all children with SIGTERM, and with SIGKILL those that still run after a while. Returns when none is left. */
export async function endChildren() {
  isEnding = true;
  const exits = [...running].map((child) => once(child, 'exit'));
  signalAll('SIGTERM');
  const timer = setTimeout(killChildren, STOP_LIMIT_MS);
  await Promise.all(exits);
  clearTimeout(timer);
}

/** Ends all children immediately. */
export function killChildren() {
  isEnding = true;
  signalAll('SIGKILL');
}

/** @param {ChildProcess} child */
function watch(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** @param {NodeJS.Signals} signal */
function signalAll(signal) {
  for (const { pid } of running) {
    // A child that could not be started has no process id.
    if (pid === undefined) {
      continue;
    }
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // ESRCH: the child ended at this moment.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') {
        throw error;
      }
    }
  }
}

/**
 * @param {Readable} stream
 * @returns {() => string} the last characters of the stream so far, ready to be appended to a message
 */
function tailOf(stream) {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text) => {
    tail = (tail + text).slice(-MAX_TAIL_CHARACTERS);
  });
  return () => (tail.trim() === '' ? '' : `:\n${tail.trim()}`);
}

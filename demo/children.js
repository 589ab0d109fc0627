/**
 * The demo's processes. Each leads a process group of its own, so that Ctrl-C in a terminal reaches the
 * demo alone, which then ends them in order.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';

const STOP_LIMIT_MS = 3_000;
const MAX_TAIL_CHARACTERS = 2_000;

/** Those that have not ended yet. */
const running = new Set();
let isEnding = false;
let reportDeath;

/** Rejects as soon as a child dies that was to stay. */
export const childDeath = new Promise((_, reject) => {
  reportDeath = reject;
});
childDeath.catch(() => undefined);

/**
 * Starts a module as a child that stays until `endChildren`; its channel tells it when the demo is gone.
 *
 * @param name - how a message about it calls it
 * @param env - its whole environment, besides PATH
 */
export function forkChild(name, module, env = {}) {
  const child = fork(module, {
    // Away from the .env file of whoever runs this.
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, ...env },
    execArgv: [],
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lastWords = tailOf(child.stderr);
  watch(child);
  child.once('exit', (code, signal) => {
    if (!isEnding) {
      reportDeath(new Error(`${name} ended by itself (${code ?? signal})${lastWords()}`));
    }
  });
  return child;
}

/** Runs a Node.js script to its end; true when it succeeded. */
export async function runScript(file, args, cwd) {
  const stdio = ['ignore', 2, 2];
  const child = spawn(process.execPath, [file, ...args], { cwd, detached: true, stdio });
  watch(child);
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** Ends all children: asks them, and forces after a while who has not followed. Returns when none is left. */
export async function endChildren() {
  isEnding = true;
  const exits = [...running].map((child) => once(child, 'exit'));
  signalAll('SIGTERM');
  const timer = setTimeout(killChildren, STOP_LIMIT_MS);
  await Promise.all(exits);
  clearTimeout(timer);
}

/** Forces all children to end, at once. */
export function killChildren() {
  isEnding = true;
  signalAll('SIGKILL');
}

function watch(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

function signalAll(signal) {
  for (const { pid } of running) {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // ESRCH: it has ended by itself in this very moment.
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

function tailOf(stream) {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text) => {
    tail = (tail + text).slice(-MAX_TAIL_CHARACTERS);
  });
  return () => (tail.trim() === '' ? '' : `:\n${tail.trim()}`);
}

/** The child processes of a benchmark: starts them, waits for them, measures them through the kernel, and ends them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** @import { ChildProcess, StdioOptions } from 'node:child_process' */

/**
 * What happened while some work was done.
 *
 * @template T
 * @typedef {object} Observation
 * @property {T} result - of the work
 * @property {number[]} hopSeconds - the CPU time of each process, with that of all processes that it started
 * @property {boolean} isCalm - whether the hypervisor left the machine to us meanwhile
 */

/** The unit in which Linux counts CPU time. */
const TICKS_PER_SECOND = 100;
const START_LIMIT_MS = 20_000;
/** If a larger share of time is stolen, a measurement means nothing. */
const MAX_STEAL = 0.1;

/**
 * The children that must not end yet, with the signal that ends each.
 *
 * @type {Map<ChildProcess, NodeJS.Signals>}
 */
const running = new Map();
process.once('exit', () => {
  for (const [child, signal] of running) {
    child.kill(signal);
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1));
}

/**
 * Starts a program. If it ends before `stop` is called, the benchmark fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env - its environment, besides PATH
 * @param {NodeJS.Signals} endSignal - another signal than SIGKILL for a program that must end its own children
 */
export function start(command, args, env = {}, endSignal = 'SIGKILL') {
  return run(command, args, env, endSignal, ['ignore', 'ignore', 'inherit']);
}

/**
 * Starts a script of Node.js that takes and sends messages, in the same way.
 *
 * @param {string} script
 */
export function startWorker(script) {
  return run(process.execPath, [script], {}, 'SIGKILL', ['ignore', 'ignore', 'inherit', 'ipc']);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Signals} endSignal
 * @param {StdioOptions} stdio
 */
function run(command, args, env, endSignal, stdio) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio });
  running.set(child, endSignal);
  child.once('exit', (code) => {
    if (!running.delete(child)) {
      return;
    }
    process.stderr.write(`${command} ${args.join(' ')} ended with ${code}\n`);
    process.exit(1);
  });
  return child;
}

/**
 * Ends a program. Resolves when it has ended.
 *
 * @param {ChildProcess} child
 */
export async function stop(child) {
  const signal = running.get(child);
  running.delete(child);
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

/**
 * The process ids of children.
 *
 * @param {ChildProcess[]} children
 */
export const pidsOf = (children) => children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));

/**
 * Resolves as soon as a program accepts connections on the port.
 *
 * @param {number} port
 */
export async function listening(port) {
  const endsAt = Date.now() + START_LIMIT_MS;
  while (Date.now() < endsAt) {
    const isAccepted = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isAccepted) {
      return;
    }
    await delay(20);
  }
  throw new Error(`no program listens on port ${port}`);
}

/**
 * The fields of `/proc/<pid>/stat` after the name of the program.
 *
 * @param {number} pid
 */
const stat = (pid) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/**
 * A process and all processes that it started.
 *
 * @param {number} pid
 */
function family(pid) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((child) => {
      try {
        return [{ child, parent: Number(stat(child)[1]) }];
      } catch {
        // The process has ended since the folder was read.
        return [];
      }
    });
  const members = [pid];
  for (const member of members) {
    members.push(...parents.filter(({ parent }) => parent === member).map(({ child }) => child));
  }
  return members;
}

/**
 * The CPU time of a process and of all processes that it started.
 *
 * @param {number} pid
 */
function cpuSeconds(pid) {
  const ticks = family(pid)
    .map(stat)
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return ticks / TICKS_PER_SECOND;
}

/**
 * @param {number} pid
 * @param {'VmRSS' | 'VmHWM'} field - of `/proc/<pid>/status`
 */
const memoryMib = (pid, field) =>
  family(pid).reduce((sum, member) => {
    const text = readFileSync(`/proc/${member}/status`, 'utf8');
    const [, kib = 0] = new RegExp(`${field}:\\s+(\\d+)`).exec(text) ?? [];
    return sum + Number(kib) / 1024;
  }, 0);

/**
 * The resident memory of the largest of these processes, each with all processes that it started.
 *
 * @param {number[]} pids
 */
export const residentMib = (pids) => Math.max(0, ...pids.map((pid) => memoryMib(pid, 'VmRSS')));

/**
 * The peak of the resident memory of the largest of these processes.
 *
 * @param {number[]} pids
 */
export const peakMib = (pids) => Math.max(0, ...pids.map((pid) => memoryMib(pid, 'VmHWM')));

/** Ticks of all cores since the machine started, and how many of them the hypervisor gave to other machines. */
function machineTicks() {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { steal: fields[7] ?? 0, total: fields.reduce((sum, value) => sum + value, 0) };
}

/**
 * Does some work and measures what processes spent on it.
 *
 * @template T
 * @param {number[]} pids
 * @param {() => Promise<T>} work
 * @returns {Promise<Observation<T>>}
 */
export async function observe(pids, work) {
  const before = { cpu: pids.map(cpuSeconds), machine: machineTicks() };
  const result = await work();
  const machine = machineTicks();
  const steal =
    (machine.steal - before.machine.steal) / Math.max(1, machine.total - before.machine.total);
  return {
    result,
    hopSeconds: pids.map((pid, at) => cpuSeconds(pid) - (before.cpu[at] ?? 0)),
    isCalm: steal <= MAX_STEAL,
  };
}

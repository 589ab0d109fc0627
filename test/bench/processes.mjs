/** Child processes of a benchmark: started, awaited, measured by the operating system, and ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux counts CPU time in these. */
const TICKS_PER_SECOND = 100;
const START_LIMIT_MS = 20_000;

const children = new Set();
process.once('exit', () => {
  for (const child of children) end(child);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/**
 * Starts a program whose end before ours is an error.
 *
 * @param endSignal - another than SIGKILL for a program that has to end children of its own
 */
export function start(command, args, env = {}, endSignal = 'SIGKILL') {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.endSignal = endSignal;
  children.add(child);
  child.once('exit', (code) => {
    if (!children.delete(child)) return;
    process.stderr.write(`${command} ${args.join(' ')} ended with ${code}\n`);
    process.exit(1);
  });
  return child;
}

const end = (child) => child.kill(child.endSignal);

/** Resolves when it has ended. */
export async function stop(child) {
  children.delete(child);
  const closed = once(child, 'close');
  end(child);
  await closed;
}

/** Resolves once somebody accepts connections. */
export async function listening(port) {
  const endsAt = Date.now() + START_LIMIT_MS;
  while (Date.now() < endsAt) {
    const isThere = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return;
    await delay(20);
  }
  throw new Error(`nobody listens on port ${port}`);
}

const stat = (pid) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** A process and those it started. */
function family(pid) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[Number(name), Number(stat(name)[1])]];
      } catch {
        return [];
      }
    });
  const members = [pid];
  for (const member of members) {
    members.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
  }
  return members;
}

/** CPU time of a process with all that it started. */
function cpuSeconds(pid) {
  const ticks = family(pid)
    .map(stat)
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return ticks / TICKS_PER_SECOND;
}

const memory = (pid, field) =>
  family(pid).reduce((sum, member) => {
    const text = readFileSync(`/proc/${member}/status`, 'utf8');
    const [, kib = 0] = new RegExp(`${field}:\\s+(\\d+)`).exec(text) ?? [];
    return sum + Number(kib) / 1024;
  }, 0);

/** Resident memory in MiB of the largest of these processes, each with what it started. */
export const residentMib = (pids) => Math.max(0, ...pids.map((pid) => memory(pid, 'VmRSS')));
export const peakMib = (pids) => Math.max(0, ...pids.map((pid) => memory(pid, 'VmHWM')));

/** Ticks of all cores since the start of the machine, and those of them that the hypervisor gave to others. */
function machineTicks() {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n');
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { steal: fields[7] ?? 0, total: fields.reduce((sum, value) => sum + value, 0) };
}

/** Above this share of stolen time a measurement tells nothing. */
const MAX_STEAL = 0.1;

/** What processes spent, each with what it started, while something was done; and whether the machine was ours meanwhile. */
export async function observe(pids, work) {
  const before = { cpu: pids.map(cpuSeconds), machine: machineTicks() };
  const result = await work();
  const machine = machineTicks();
  const steal =
    (machine.steal - before.machine.steal) / Math.max(1, machine.total - before.machine.total);
  return {
    result,
    hopSeconds: pids.map((pid, at) => cpuSeconds(pid) - before.cpu[at]),
    isCalm: steal <= MAX_STEAL,
  };
}

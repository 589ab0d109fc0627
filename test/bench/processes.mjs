/** Child processes of a benchmark: started, awaited, measured by the operating system, and ended. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux counts CPU time in these. */
const TICKS_PER_SECOND = 100;
const START_LIMIT_MS = 20_000;

const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Starts a program whose end before ours is an error. */
export function start(command, args, env = {}) {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', (code) => {
    if (!children.delete(child)) return;
    process.stderr.write(`${command} ${args.join(' ')} ended with ${code}\n`);
    process.exit(1);
  });
  return child;
}

export function stop(child) {
  children.delete(child);
  child.kill('SIGKILL');
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

/** CPU time of processes with all that they started, in seconds. */
export function cpuSeconds(pids) {
  const ticks = pids
    .flatMap(family)
    .map(stat)
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return ticks / TICKS_PER_SECOND;
}

const memory = (pids, field) =>
  pids.flatMap(family).reduce((sum, pid) => {
    const [, kib = 0] =
      new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return sum + Number(kib) / 1024;
  }, 0);

/** Resident memory in MiB. */
export const residentMib = (pids) => memory(pids, 'VmRSS');
export const peakMib = (pids) => memory(pids, 'VmHWM');

/** Share of CPU time that the hypervisor gave to others, as a sampler: call it twice. */
export function stolen() {
  const fields = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return {
    steal: fields[7] ?? 0,
    total: fields.slice(0, 8).reduce((sum, value) => sum + value, 0),
  };
}

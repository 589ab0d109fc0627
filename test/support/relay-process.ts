import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { Recorder } from './recorder.js';
import { DEFAULTS, type LogLine, type RelayEnvironment } from './relay.js';

const MAIN = resolve('dist/apps/relay/src/main.js');
const FOREIGN_PRIMARY = resolve('test/support/foreign-primary.mjs');
const HEALTHCHECK = resolve('dist/apps/relay/src/healthcheck.js');
/** A start takes a second where nothing else runs. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
/** What names a process in /proc is there on Linux; memory is measured only there. */
const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;

/** How the process of a relay is started. */
interface Launch {
  readonly script?: readonly string[];
  /** Its working directory, where it looks for `.env`: away from that of whoever runs this, unless told otherwise. */
  readonly cwd?: string;
}

/** By a primary that is none of ours. */
export const FORKED: Launch = { script: [FOREIGN_PRIMARY, MAIN] };

/** None of them outlives this process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A built relay in a process of its own. */
export interface RelayProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly log: Recorder<LogLine>;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<ProcessEnd>;
  readonly isRunning: () => boolean;
  /** Takes no more of its standard output: leaves it to fill up, or closes it. */
  readonly ignoreOutput: (how: 'unread' | 'closed') => void;
  /** Takes what was left unread, and what comes. */
  readonly readOutput: () => void;
  /** Resident memory in bytes. */
  rss(): number;
  kill(signal?: NodeJS.Signals): Promise<ProcessEnd>;
  close(): Promise<void>;
}

/** Starts the built relay and resolves once it listens. Rejects with its output where it ends before. */
export async function startRelayProcess(
  overrides: RelayEnvironment = {},
  launch: Launch = {},
): Promise<RelayProcess> {
  const child = spawnRelay({ ...DEFAULTS, ...overrides }, launch);
  const ended = endOf(child);
  const log = new Recorder<LogLine>();
  createInterface(child.stdout!).on('line', (line) => {
    log.add(JSON.parse(line) as LogLine);
  });
  const address = await Promise.race([
    log.find(({ msg }) => msg === 'relay is listening', START_LIMIT_MS),
    ended.then(({ stdout, stderr }) => {
      throw new Error(`the relay did not start\n${stdout}${stderr}`);
    }),
  ]).catch((error: unknown) => {
    // Nobody else knows of it.
    child.kill('SIGKILL');
    throw error;
  });
  const { port, protocol } = new URL(String(address['address']));
  const pid = child.pid!;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<ProcessEnd> => {
    child.kill(signal);
    return ended;
  };
  return {
    pid,
    port: Number(port),
    url: `${protocol}//127.0.0.1:${port}`,
    log,
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    ignoreOutput: (how) => {
      if (how === 'unread') {
        child.stdout!.pause();
      } else {
        child.stdout!.destroy();
      }
    },
    readOutput: () => {
      child.stdout!.resume();
    },
    rss: () => residentBytes(pid),
    kill,
    close: async () => {
      await kill();
    },
  };
}

/** Runs the built relay with exactly this environment until it ends. */
export function runRelay(environment: RelayEnvironment, launch: Launch = {}): Promise<ProcessEnd> {
  const child = spawnRelay(environment, launch);
  return endOf(child, AbortSignal.timeout(STOP_LIMIT_MS));
}

/** Runs what a container's health check runs, for the relay of this environment; resolves with its exit code. */
export async function runHealthCheck(environment: RelayEnvironment): Promise<number | null> {
  const child = spawnBuilt([HEALTHCHECK], { ...DEFAULTS, ...environment }, tmpdir());
  const { exitCode } = await endOf(child, AbortSignal.timeout(STOP_LIMIT_MS));
  return exitCode;
}

function spawnRelay(
  environment: RelayEnvironment,
  { script = [MAIN], cwd = tmpdir() }: Launch,
): ChildProcess {
  return spawnBuilt([...startFlags(), ...script], environment, cwd);
}

/** Of Node.js, as `npm start` has them. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.match(/--[\w=-]+/g) ?? [];
}

function spawnBuilt(
  script: readonly string[],
  environment: RelayEnvironment,
  cwd: string,
): ChildProcess {
  const child = spawn(process.execPath, script, {
    cwd,
    // Without the environment of whoever runs this.
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function endOf(child: ChildProcess, signal?: AbortSignal): Promise<ProcessEnd> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  await once(child, 'close', signal === undefined ? {} : { signal });
  return { exitCode: child.exitCode, signal: child.signalCode, ...output };
}

function residentBytes(pid: number): number {
  const kib = RESIDENT_KIB.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { Recorder } from '../lifecycle/recorder.js';
import { DEFAULTS, type LogLine, type RelayEnvironment } from '../relays/relay.js';

const MAIN = resolve('dist/apps/relay/src/main.js');
const FOREIGN_PRIMARY = resolve('test/support/processes/foreign-primary.mjs');
const HEALTHCHECK = resolve('dist/apps/relay/src/healthcheck.js');
/** A start takes a second on an idle machine. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
/** The line in /proc that shows the resident memory; Linux only. */
const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;

/** How a relay process is started. */
interface Launch {
  readonly script?: readonly string[];
  /** The working directory, where the relay reads `.env`; by default not that of the user who runs the tests. */
  readonly cwd?: string;
  /** The user who runs it, which only root may choose; by default the one who runs the tests. */
  readonly uid?: number;
}

/** Starts the relay as a cluster worker of a primary that is not a relay. */
export const FORKED: Launch = { script: [FOREIGN_PRIMARY, MAIN] };

/** Starts the relay as `npm start` does. */
export const NPM_START: Launch = { script: [resolve('bin/main.js'), 'start'] };

/** All running relays; they are killed when this process exits. */
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

/** A built relay in a separate process. */
export interface RelayProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly log: Recorder<LogLine>;
  /** Resolves when the process has ended for any reason. */
  readonly ended: Promise<ProcessEnd>;
  readonly isRunning: () => boolean;
  /** Stops reading standard output: lets the pipe fill up, or closes it. */
  readonly ignoreOutput: (how: 'unread' | 'closed') => void;
  /** Reads standard output again, beginning with what was left unread. */
  readonly readOutput: () => void;
  /** Resident memory in bytes. */
  rss(): number;
  kill(signal?: NodeJS.Signals): Promise<ProcessEnd>;
  close(): Promise<void>;
}

/** Starts the built relay and resolves once it listens. Rejects with its output if it ends first. */
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
    // The caller has no handle to end the process.
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

/** Runs the container's health check for a relay with this environment. @returns the exit code */
export async function runHealthCheck(environment: RelayEnvironment): Promise<number | null> {
  const child = spawnBuilt([HEALTHCHECK], { ...DEFAULTS, ...environment }, tmpdir());
  const { exitCode } = await endOf(child, AbortSignal.timeout(STOP_LIMIT_MS));
  return exitCode;
}

function spawnRelay(
  environment: RelayEnvironment,
  { script = [MAIN], cwd = tmpdir(), uid }: Launch,
): ChildProcess {
  const { flags, variables } = launcherSettings();
  return spawnBuilt([...flags, ...script], { ...variables, ...environment }, cwd, uid);
}

/** The flags and variables with which the launcher starts a relay, because what tests measure is to be true of that. */
function launcherSettings(): { flags: readonly string[]; variables: RelayEnvironment } {
  const launcher = readFileSync('bin/mte-api-relay', 'utf8');
  const [, command = ''] = launcher.split('exec node ');
  const flags = command.split('"$bin', 1)[0]!.match(/--[\w=-]+/g);
  const exported = [...launcher.matchAll(/^ *export (\w+)=(\w+)$/gm)];
  if (flags === null || exported.length === 0) {
    throw new Error('bin/mte-api-relay has no flags or variables where this looks for them');
  }
  return {
    flags,
    variables: Object.fromEntries(exported.map(([, name, value]) => [name!, value!])),
  };
}

function spawnBuilt(
  script: readonly string[],
  environment: RelayEnvironment,
  cwd: string,
  uid?: number,
): ChildProcess {
  const child = spawn(process.execPath, script, {
    cwd,
    // Without the environment of the user who runs the tests.
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
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

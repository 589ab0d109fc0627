import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { hasProgram } from './apt-packages.js';
import { Recorder } from '../lifecycle/recorder.js';
import { SECRET } from '../relays/relay.js';

/** The second implementation of docs/protocol.md, in Python. Its programs describe their input and output. */
const FOLDER = resolve('test/interop');
const OLDEST_PYTHON = '(3, 11)';

type JsonLine = Readonly<Record<string, unknown>>;

/** Whether Python is installed; prints a warning if it is not. */
export const hasPython = (): boolean =>
  hasProgram(
    ['python3'],
    'python3',
    '-c',
    `import sys; sys.exit(sys.version_info < ${OLDEST_PYTHON})`,
  );

/** Runs the known-answer tests in Python. @returns the lines printed; throws with the output if a test fails */
export function runPythonSelfTest(): string[] {
  const { status, stdout, stderr } = spawnSync('python3', ['-B', join(FOLDER, 'self_test.py')], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(`${stdout}${stderr}`);
  }
  return stdout.trim().split('\n');
}

/** A response, as outbound.py prints it. */
export interface PythonResponse {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Base64. */
  readonly body: string;
  /** The number of data records that were not empty. */
  readonly pieces: number;
}

/** An error, as outbound.py prints it. */
export interface PythonError {
  readonly status: number;
  readonly signed: boolean;
  readonly p?: 0 | 1;
}

/** The result of one command of outbound.py. */
export interface PythonResult {
  readonly answer?: PythonResponse;
  readonly error?: PythonError;
  readonly [detail: string]: unknown;
}

/** The Python implementation in the outbound role. */
export interface PythonOutbound {
  /** Runs one command of outbound.py. */
  readonly command: (command: JsonLine) => Promise<PythonResult>;
  readonly close: () => Promise<void>;
}

export function startPythonOutbound(peer: string, secret = SECRET): PythonOutbound {
  const python = startPython('outbound.py', [peer], { CLIENT_ID_SECRET: secret });
  let commands = 0;
  return {
    command: async (command) => {
      commands += 1;
      python.child.stdin.write(`${JSON.stringify(command)}\n`);
      const lines = await python.untilEnd(python.lines.count(commands));
      return lines[commands - 1] as PythonResult;
    },
    close: python.close,
  };
}

/** The Python implementation in the inbound role. */
export interface PythonInbound {
  readonly url: string;
  /** The events that inbound.py prints: pairings and forwarded requests. */
  readonly events: Recorder<JsonLine>;
  readonly close: () => Promise<void>;
}

/** @param environment - what inbound.py knows of UPSTREAM, for upgrades */
export async function startPythonInbound(
  environment: Readonly<Record<string, string>> = {},
): Promise<PythonInbound> {
  const python = startPython('inbound.py', [], { CLIENT_ID_SECRET: SECRET, ...environment });
  const { port } = await python.untilEnd(python.lines.find());
  return { url: `http://127.0.0.1:${String(port)}`, events: python.lines, close: python.close };
}

interface PythonProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Recorder<JsonLine>;
  /** Resolves with `awaited`, or rejects if the process ends first. */
  readonly untilEnd: <T>(awaited: Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

function startPython(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): PythonProcess {
  const child = spawn('python3', ['-B', join(FOLDER, program), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const lines = new Recorder<JsonLine>();
  createInterface(child.stdout).on('line', (line) => {
    lines.add(JSON.parse(line) as JsonLine);
  });
  const ended = endOf(child);
  return {
    child,
    lines,
    untilEnd: (awaited) =>
      Promise.race([
        awaited,
        ended.then(() => {
          throw new Error(`${program} ended`);
        }),
      ]),
    close: async () => {
      killOnExit();
      process.off('exit', killOnExit);
      await ended;
    },
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  await once(child, 'close');
}

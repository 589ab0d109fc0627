import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';

/** How a run of a program ended. */
export interface ProgramRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Longer than usual, for a program that has much to do. */
  readonly limitMs?: number;
}

/** A program that hangs is ended after this time, which is longer than most runs need. */
const LIMIT_MS = 60_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/** Starts a program without the environment and the configuration of the user who runs the tests. */
export function startProgram(
  command: string,
  args: readonly string[],
  { cwd = tmpdir(), env = {} }: ProgramOptions = {},
) {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', NO_PROXY: '*', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Runs a program to its end, whatever its exit code. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramRun> {
  const child = startProgram(command, args, options);
  const limit = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? LIMIT_MS);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  clearTimeout(limit);
  return { exitCode: child.exitCode ?? -1, stdout, stderr };
}

/** Runs a program that must succeed, and returns its output. */
export async function runs(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(command, args, options);
  if (exitCode !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}\n${stdout}${stderr}`);
  }
  return stdout;
}

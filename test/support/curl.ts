import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/** How a run of curl ended. */
export interface CurlRun {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A longer run than any test needs: curl then gives up by itself. */
const MAX_SECONDS = '60';

/** Whether there is a curl to test with. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** Runs the real curl, without the configuration and the proxies of whoever runs this. */
export async function curl(args: readonly string[], stdin?: Readable | Buffer): Promise<CurlRun> {
  const child = spawn(
    'curl',
    ['--disable', '--silent', '--show-error', '--noproxy', '*', '--max-time', MAX_SECONDS, ...args],
    { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } },
  );
  // curl may close its input before all of it was read: what it made of the answer is what counts.
  child.stdin.on('error', () => undefined);
  if (stdin === undefined || Buffer.isBuffer(stdin)) {
    child.stdin.end(stdin);
  } else {
    stdin.pipe(child.stdin);
  }
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode: child.exitCode ?? -1, stdout, stderr: stderr.toString() };
}

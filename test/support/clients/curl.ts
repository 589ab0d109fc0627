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

/** curl gives up after this time, which is longer than any test needs. */
const MAX_SECONDS = '60';

const version = spawnSync('curl', ['--version'], { encoding: 'utf8' });

/** Whether curl is installed. */
export const hasCurl = version.status === 0;
/** Whether curl is installed, and built with NTLM. */
export const hasNtlmCurl = hasCurl && /^Features:.* NTLM\b/m.test(version.stdout);

/** Runs the real curl, without the configuration and the proxies of the user who runs the tests. */
export async function curl(args: readonly string[], stdin?: Readable | Buffer): Promise<CurlRun> {
  const child = spawn(
    'curl',
    ['--disable', '--silent', '--show-error', '--noproxy', '*', '--max-time', MAX_SECONDS, ...args],
    { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } },
  );
  // curl may close its input before it has read all of it; only its treatment of the response matters.
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

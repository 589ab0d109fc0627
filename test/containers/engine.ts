import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export const ROOT = resolve(import.meta.dirname, '../..');

const COMMAND_LIMIT_MS = 600_000;
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;
const POLL_INTERVAL_MS = 500;

/** Variables that override those of this process; undefined removes a variable. */
export type Variables = Readonly<Record<string, string | undefined>>;

const execute = promisify(execFile);

/** Runs a program, in the project's folder by default. @returns its standard output; rejects with its own output on failure */
export async function run(
  program: string,
  args: readonly string[],
  {
    variables = {},
    input,
    folder = ROOT,
  }: { variables?: Variables; input?: string; folder?: string } = {},
): Promise<string> {
  const running = execute(program, args, {
    cwd: folder,
    env: { ...process.env, ...variables },
    timeout: COMMAND_LIMIT_MS,
    maxBuffer: OUTPUT_LIMIT_BYTES,
  });
  running.child.stdin?.end(input);
  const { stdout } = await running;
  return stdout.trim();
}

export const docker = (...args: readonly string[]): Promise<string> => run('docker', args);

/** The output of `docker inspect` for a container, image or service in this format. */
export const inspect = (name: string, format: string): Promise<string> =>
  docker('inspect', '--format', format, name);

/** Standard output and standard error of a container so far. */
export async function logsOf(container: string): Promise<string> {
  const { stdout, stderr } = await execute('docker', ['logs', container], {
    maxBuffer: OUTPUT_LIMIT_BYTES,
  });
  return stdout + stderr;
}

const succeeds = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** `docker compose` if it is installed, otherwise the older program. */
export const COMPOSE = succeeds('docker', 'compose', 'version')
  ? (['docker', 'compose'] as const)
  : (['docker-compose'] as const);

export function compose(args: readonly string[], variables: Variables = {}): Promise<string> {
  const [program, ...first] = COMPOSE;
  return run(program, [...first, ...args], { variables });
}

export const hasProgram = (program: string, ...args: readonly string[]): boolean =>
  succeeds(program, ...args);

/** Polls until the condition is true. Rejects with `what` after `limitMs`. */
export async function waitUntil(
  what: string,
  isTrue: () => Promise<boolean>,
  limitMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${limitMs} ms: ${what}`);
    }
    await delay(POLL_INTERVAL_MS);
  }
}

export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  return String(address.port);
}

export const IMAGE = 'mte-api-relay';
const SAMPLE_UPSTREAM = 'mte-sample-upstream';

/** Builds both images from the working tree; unchanged layers come from the cache. */
export async function buildImages(): Promise<void> {
  await docker('build', '--tag', IMAGE, '.');
  await docker('build', '--tag', SAMPLE_UPSTREAM, 'deploy/docker/sample-upstream');
}

/** Waits until a container's health check has succeeded. */
export const waitUntilHealthy = (container: string): Promise<void> =>
  waitUntil(
    `${container} is healthy`,
    async () => (await inspect(container, '{{.State.Health.Status}}')) === 'healthy',
  );

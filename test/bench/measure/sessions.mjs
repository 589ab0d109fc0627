/** How the stores of sessions bear their number, each measured in a process of its own. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const STORE = fileURLToPath(new URL('store.mjs', import.meta.url));

async function inStore(redisUrl, counts) {
  const env = { PATH: process.env.PATH, REDIS_URL: redisUrl };
  const { stdout } = await run(process.execPath, ['--expose-gc', STORE, ...counts], { env });
  return JSON.parse(stdout);
}

/** @returns rows by the number of sessions */
export async function bySessions(redisUrl, counts) {
  return {
    memory: await inStore('memory://', counts),
    redis: await inStore(redisUrl, counts),
  };
}

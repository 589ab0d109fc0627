/** How the session stores cope with the number of sessions. Each store is measured in its own process. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** @import { StoreFigures } from './store.mjs' */

const run = promisify(execFile);
const STORE = fileURLToPath(new URL('store.mjs', import.meta.url));

/**
 * @param {string} redisUrl
 * @param {number[]} counts
 * @returns {Promise<Record<string, StoreFigures>>} by the number of sessions
 */
async function inStore(redisUrl, counts) {
  const env = { PATH: process.env.PATH, REDIS_URL: redisUrl };
  const args = ['--expose-gc', STORE, ...counts.map(String)];
  const { stdout } = await run(process.execPath, args, { env });
  return JSON.parse(stdout);
}

/**
 * @param {string} redisUrl
 * @param {number[]} counts
 */
export async function bySessions(redisUrl, counts) {
  return {
    memory: await inStore('memory://', counts),
    redis: await inStore(redisUrl, counts),
  };
}

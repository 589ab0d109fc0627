import { availableParallelism } from 'node:os';
import { MEMORY_URL } from './redis-url.js';
import { Refused, refuseUnless } from './rule.js';

const MAX_WORKERS = 64;

/** Reads a number of processes; `auto` is one for each core that this process may use, and at most 64. */
export function workerCount(text: string): number | Refused {
  if (text === 'auto') {
    return Math.min(availableParallelism(), MAX_WORKERS);
  }
  const count = /^[1-9]\d?$/.test(text) ? Number(text) : NaN;
  return count <= MAX_WORKERS
    ? count
    : new Refused(`must be an integer from 1 to ${MAX_WORKERS}, or auto`);
}

/** Refuses several workers if each of them would keep sessions that the others cannot find. */
export function NeedsSharedSessions(): PropertyDecorator {
  return refuseUnless(
    'needsSharedSessions',
    `must come to 1 if REDIS_URL is ${MEMORY_URL}: workers share their sessions in Redis`,
    ({ workers, redisUrl }) =>
      typeof workers !== 'number' || workers === 1 || redisUrl !== MEMORY_URL,
  );
}

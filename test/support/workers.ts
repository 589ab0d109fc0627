import { readFileSync } from 'node:fs';

import { startRedisServer } from './redis-server.js';
import type { RelayProcess } from './relay-process.js';
import { sharedResources } from './resources.js';

/** A start takes a second where nothing else runs, and the workers of a relay do not start all at once. */
const UP_LIMIT_MS = 30_000;

/** To be awaited at the top of a file: what makes two workers of a relay, with a Redis for the tests there. */
export async function twoWorkers() {
  const shared = sharedResources();
  const redis = await startRedisServer();
  shared({ close: () => redis.stop() });
  return { REDIS_URL: redis.url, WORKERS: '2' };
}

/** Resolves with the process ids of a relay's workers once all of them listen. */
export async function workersUp({ log }: RelayProcess): Promise<readonly number[]> {
  const line = await log.find(({ msg }) => msg === 'workers are listening', UP_LIMIT_MS);
  return line['workers'] as number[];
}

/** The processes that a relay has at this moment besides its own. Linux only. */
export function childrenOf({ pid }: Pick<RelayProcess, 'pid'>): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
}

/** Whether there is such a process, and more of it than an entry that nobody has asked for yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The processes that wrote a line on a request. */
export function pidsOfRequests({ log }: RelayProcess): Set<number> {
  const lines = log.items.filter(({ msg }) => msg.startsWith('request '));
  return new Set(lines.map(({ pid }) => Number(pid)));
}

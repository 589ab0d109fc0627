import { readFileSync } from 'node:fs';

import { startRedisServer } from '../redis/redis-server.js';
import type { RelayProcess } from './relay-process.js';
import { sharedResources } from '../lifecycle/resources.js';

/** A start takes a second on an idle machine, and a relay's workers do not all start at the same time. */
const UP_LIMIT_MS = 30_000;

/** Await at the top of a file: starts a Redis for its tests. @returns the environment of a relay with two workers */
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

/** The child processes that a relay has at this moment. Linux only. */
export function childrenOf({ pid }: Pick<RelayProcess, 'pid'>): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
}

/** Whether a process exists and is not a zombie. Linux only. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The processes that logged a line about a request. */
export function pidsOfRequests({ log }: RelayProcess): Set<number> {
  const lines = log.items.filter(({ msg }) => msg.startsWith('request '));
  return new Set(lines.map(({ pid }) => Number(pid)));
}

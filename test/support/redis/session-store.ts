import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { ClockModule } from '@relay/clock';
import { RelayConfigModule } from '@relay/config';
import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';
import {
  SessionModule,
  SessionService,
  SessionStore,
  StoreHealth,
  type StoreReport,
} from '@relay/session';
import { Redis } from 'ioredis';

import { relayConfig } from '../relays/config.js';
import { Recorder } from '../lifecycle/recorder.js';
import { SESSION_SURROUNDINGS } from './session-surroundings.js';

/** A session store as a relay has it: wired by its module and configured by the environment. */
export interface OpenedStore {
  readonly store: SessionStore;
  readonly sessions: SessionService;
  readonly health: StoreHealth;
  readonly reports: Recorder<StoreReport>;
  close(): Promise<void>;
}

/** Opens a store as a starting relay does, without waiting until it is reachable. */
export async function openStore(
  REDIS_URL: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenedStore> {
  const config = relayConfig({ REDIS_URL, ...environment });
  const module = await Test.createTestingModule({
    imports: [RelayConfigModule.register(config), ClockModule, SESSION_SURROUNDINGS, SessionModule],
  }).compile();
  await module.init();
  const health = module.get<StoreHealth>(StoreHealth);
  const reports = new Recorder<StoreReport>();
  health.watch((report) => {
    reports.add(report);
  });
  return {
    store: module.get<SessionStore>(SessionStore),
    sessions: module.get(SessionService),
    health,
    reports,
    close: () => module.close(),
  };
}

/** Opens a store and waits until it is reachable. */
export async function openReadyStore(...args: Parameters<typeof openStore>): Promise<OpenedStore> {
  const opened = await openStore(...args);
  await opened.reports.find(({ state }) => state === 'available');
  return opened;
}

/** An operator's connection to Redis, which bypasses the store. */
export function connectRedis(url: string): Redis & { close(): Promise<void> } {
  const client = new Redis(url, { protocol: 2, replyMapping: 'legacy' });
  // Tests stop servers on purpose, and await the commands that they depend on.
  client.on('error', () => undefined);
  return Object.assign(client, {
    close: () => {
      client.disconnect();
      return Promise.resolve();
    },
  });
}

/** A live session in the store. */
export interface LiveSession {
  readonly sid: string;
  readonly key: string;
  readonly blob: Buffer;
  /** The beginning of the blob, which MARK compares. */
  readonly head: Buffer;
}

/** Reserves and fills an entry as a pairing does, with bytes that cannot be opened. */
export async function pairIn(store: SessionStore): Promise<LiveSession> {
  const sid = randomBytes(16).toString('base64url');
  const epoch = await store.reserve(sid);
  const blob = Buffer.concat([
    Buffer.from(epoch ?? '', 'latin1'),
    randomBytes(BLOB_BYTES - EPOCH_BYTES),
  ]);
  if (!(await store.put(sid, blob))) {
    throw new Error('the session was not saved');
  }
  return { sid, key: `mte:s:${sid}`, blob, head: blob.subarray(0, BLOB_HEAD_BYTES) };
}

/** All five operations of the store on a session, by name. */
export function operationsOn(
  store: SessionStore,
  { sid, blob, head }: LiveSession,
): Record<string, () => Promise<unknown>> {
  return {
    RESERVE: () => store.reserve(randomBytes(16).toString('base64url')),
    PUT: () => store.put(sid, blob),
    OPEN: () => store.open(sid),
    MARK: () => store.mark(sid, { sequence: 1 }, head),
    KILL: () => store.kill(sid),
  };
}

/**
 * The error of an operation that has just been started, or undefined unless it fails immediately: before the event loop
 * turns, so that it cannot have waited for time or for Redis, however slow the machine is.
 */
export async function immediateError(operation: Promise<unknown>): Promise<unknown> {
  const waited = new Promise<undefined>((resolve) => {
    setImmediate(resolve, undefined);
  });
  const error = operation.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return Promise.race([error, waited]);
}

/** The outcome of a promise, and how long it took. */
export async function timed(
  promise: Promise<unknown>,
): Promise<{ readonly value?: unknown; readonly error?: unknown; readonly ms: number }> {
  const startedAt = performance.now();
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { ...outcome, ms: performance.now() - startedAt };
}

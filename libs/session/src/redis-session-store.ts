import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { BLOB_BYTES, EPOCH_BYTES } from '@relay/protocol';

import { describeRedis } from './redis-description.js';
import type { RedisClient } from './redis-client.js';
import type { RedisLink } from './redis-link.js';
import { SessionStoreUnavailableError } from './session.errors.js';
import {
  checkNumbers,
  type MarkOutcome,
  type MessageNumbers,
  type SessionStore,
} from './session-store.js';
import type { StoreDescription, StoreHealth, StoreReport } from './store-health.js';

const START_LIMIT_MS = 3000;
const CHECK_LIMIT_MS = 500;
const PROOF_INTERVAL_MS = 1000;
/** No session id is this short. */
const CHECK_SID = 'check';
const CHECK_LIFETIME_MS = 60_000;

const MARK_OUTCOMES: ReadonlyMap<unknown, MarkOutcome> = new Map([
  [0, 'first'],
  [1, 'replay'],
  [2, 'original-marked'],
  [3, 'replay'],
  [-1, 'dead'],
]);

/** The store that all replicas of a relay share: one Redis string per session. protocol.md section 5. */
export class RedisSessionStore
  implements SessionStore, StoreHealth, OnModuleInit, OnApplicationShutdown
{
  private readonly listeners: ((report: StoreReport) => void)[] = [];
  private lastReport: StoreReport | undefined;
  private nextProof: NodeJS.Timeout | undefined;
  private isProving = false;

  /**
   * @param prefix - what every key begins with
   * @param lifetimeMs - how long an entry is kept, in milliseconds
   */
  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
    private readonly lifetimeMs: number,
  ) {}

  /**
   * Starts to connect, and waits up to 3 s for the outcome: a process that listens before its store is available
   * refuses the first messages. The process starts even without Redis; it is then live, but not ready.
   */
  async onModuleInit(): Promise<void> {
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, START_LIMIT_MS);
      this.watch(() => {
        clearTimeout(limit);
        resolve();
      });
      this.link.open({
        onReady: () => void this.prove(),
        onLost: (error) => {
          this.report({ state: 'unavailable', error });
        },
      });
    });
  }

  /** Requests in flight have ended by now, so nothing needs the store any more. */
  onApplicationShutdown(): void {
    clearTimeout(this.nextProof);
    this.listeners.length = 0;
    this.link.close();
  }

  async reserve(sid: string): Promise<string | undefined> {
    const key = this.keyOf(sid);
    const reply = await this.ask((redis) => redis.sessionReserveBuffer(key, this.lifetimeMs));
    const epoch = bytesOrNothing(reply, EPOCH_BYTES, 'RESERVE');
    return epoch?.toString('latin1');
  }

  async put(sid: string, blob: Buffer): Promise<boolean> {
    if (blob.length !== BLOB_BYTES) {
      // The bitmap begins where the blob ends, so a blob of another length would shift it.
      return false;
    }
    const [epoch, sealed] = [blob.subarray(0, EPOCH_BYTES), blob.subarray(EPOCH_BYTES)];
    const key = this.keyOf(sid);
    const reply = await this.ask((redis) => redis.sessionPutBuffer(key, sealed, epoch));
    if (reply !== 0 && reply !== 1) {
      throw unexpected('PUT');
    }
    return reply === 1;
  }

  async open(sid: string): Promise<Buffer | undefined> {
    const key = this.keyOf(sid);
    const reply = await this.ask((redis) => redis.sessionOpenBuffer(key, this.lifetimeMs));
    return bytesOrNothing(reply, BLOB_BYTES, 'OPEN');
  }

  async mark(sid: string, numbers: MessageNumbers, blobHead: Buffer): Promise<MarkOutcome> {
    checkNumbers(numbers);
    const { sequence, replaces = '' } = numbers;
    const key = this.keyOf(sid);
    const reply = await this.ask((redis) =>
      redis.sessionMarkBuffer(key, sequence, blobHead, this.lifetimeMs, replaces),
    );
    const outcome = MARK_OUTCOMES.get(reply);
    if (outcome === undefined) {
      throw unexpected('MARK');
    }
    return outcome;
  }

  async kill(sid: string): Promise<void> {
    const key = this.keyOf(sid);
    const reply = await this.ask((redis) => redis.sessionKillBuffer(key, this.lifetimeMs));
    if (reply !== 1) {
      throw unexpected('KILL');
    }
  }

  async check(): Promise<void> {
    const key = this.keyOf(CHECK_SID);
    const reply = await this.ask(
      // OPEN needs everything that the other operations need: a script, INFO, reading and writing.
      (redis) => redis.sessionOpenBuffer(key, CHECK_LIFETIME_MS),
      CHECK_LIMIT_MS,
    );
    bytesOrNothing(reply, BLOB_BYTES, 'OPEN');
  }

  async describe(): Promise<StoreDescription> {
    return this.ask(describeRedis);
  }

  watch(listener: (report: StoreReport) => void): void {
    this.listeners.push(listener);
    if (this.lastReport !== undefined) {
      listener(this.lastReport);
    }
  }

  /**
   * Sends a command. A failure on a live connection triggers a check, because it may be the first of many: Redis may be
   * full, or may have become a replica.
   */
  private async ask<Reply>(
    send: (redis: RedisClient) => Promise<Reply>,
    limitMs?: number,
  ): Promise<Reply> {
    try {
      return await this.link.call(send, limitMs);
    } catch (error) {
      if (this.link.isReady && this.lastReport?.state === 'available' && !this.isProving) {
        void this.prove();
      }
      throw error;
    }
  }

  /** Checks the store and reports the result. A mere connection may lead to a replica, or to a server that is full. */
  private async prove(): Promise<void> {
    this.isProving = true;
    try {
      await this.check();
      this.link.proved();
      if (this.lastReport?.state !== 'available') {
        this.report({ state: 'available', description: await this.describe() });
      }
    } catch (error) {
      // If the connection broke meanwhile, the link reports that, and its next connection is checked here again.
      if (this.link.isReady) {
        this.report({ state: 'unavailable', error: error as Error });
        clearTimeout(this.nextProof);
        this.nextProof = setTimeout(() => void this.prove(), PROOF_INTERVAL_MS);
      }
    } finally {
      this.isProving = false;
    }
  }

  private report(report: StoreReport): void {
    const isKnown = report.state === 'unavailable' && this.lastReport?.state === 'unavailable';
    if (!isKnown) {
      this.lastReport = report;
      for (const listener of this.listeners) {
        listener(report);
      }
    }
  }

  private keyOf(sid: string): string {
    return `${this.prefix}s:${sid}`;
  }
}

/** A reply of any other length or type is invalid: it must not be mistaken for "absent". */
function bytesOrNothing(reply: unknown, bytes: number, operation: string): Buffer | undefined {
  if (!(reply instanceof Buffer) || (reply.length !== 0 && reply.length !== bytes)) {
    throw unexpected(operation);
  }
  return reply.length === 0 ? undefined : reply;
}

function unexpected(operation: string): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError(`redis sent an invalid reply to ${operation}`);
}

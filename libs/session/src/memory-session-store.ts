import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';
import type { Clock } from '@relay/clock';

import { SequenceMarks } from './sequence-marks.js';
import { SessionStoreUnavailableError } from './session.errors.js';
import {
  checkNumbers,
  type MarkOutcome,
  type MessageNumbers,
  type SessionStore,
} from './session-store.js';
import type { StoreDescription, StoreHealth, StoreReport } from './store-health.js';

/** Always the same: a process that restarts forgets every session together with its marks. */
const EPOCH = '0'.repeat(EPOCH_BYTES);
/** Far more pairings than one process sees in a session lifetime. An entry without marks takes about half a KiB. */
const MAX_ENTRIES = 100_000;

const DESCRIPTION: StoreDescription = {
  version: 'memory',
  role: 'primary',
  persistence: 'off',
  evictionPolicy: 'noeviction',
  warnings: ['sessions stay in this process: they end with it, and no replica can open them'],
};

interface Entry {
  readonly state: 'reserved' | 'live' | 'dead';
  /** On the monotonic clock. */
  readonly expiresAtMs: number;
  readonly blob?: Buffer;
  readonly marks?: SequenceMarks;
}

/**
 * The store of a single process without Redis (`REDIS_URL=memory://`). An entry is kept for one session lifetime from
 * its last RESERVE or KILL. A full store fails as a full Redis does: it evicts nothing to make room.
 */
export class MemorySessionStore implements SessionStore, StoreHealth {
  /** In order of expiry: `replace` moves an entry to the end, and all entries are kept equally long. */
  private readonly entries = new Map<string, Entry>();

  /**
   * @param lifetimeMs - how long an entry is kept, in milliseconds
   * @param maxEntries - how many entries the store holds before it is full
   */
  constructor(
    private readonly clock: Clock,
    private readonly lifetimeMs: number,
    private readonly maxEntries: number = MAX_ENTRIES,
  ) {}

  // Nothing below awaits. `async` turns a thrown error into the rejection that the interface promises.
  /* eslint-disable @typescript-eslint/require-await */

  async reserve(sid: string): Promise<string | undefined> {
    if (this.find(sid) !== undefined) {
      return undefined;
    }
    this.replace(sid, 'reserved');
    return EPOCH;
  }

  async put(sid: string, blob: Buffer): Promise<boolean> {
    const entry = this.find(sid);
    const isOfThisEpoch = blob.toString('latin1', 0, EPOCH_BYTES) === EPOCH;
    if (entry?.state !== 'reserved' || !isOfThisEpoch || blob.length !== BLOB_BYTES) {
      return false;
    }
    const { expiresAtMs } = entry;
    const marks = new SequenceMarks();
    // A copy, as in any store: later changes to the caller's buffer must not reach the session.
    this.entries.set(sid, { state: 'live', expiresAtMs, blob: Buffer.from(blob), marks });
    return true;
  }

  async open(sid: string): Promise<Buffer | undefined> {
    const blob = this.find(sid)?.blob;
    if (blob === undefined) {
      this.replace(sid, 'dead');
      return undefined;
    }
    return Buffer.from(blob);
  }

  async mark(sid: string, numbers: MessageNumbers, blobHead: Buffer): Promise<MarkOutcome> {
    checkNumbers(numbers);
    const { sequence, replaces } = numbers;
    const { blob, marks } = this.find(sid) ?? {};
    if (
      blob === undefined ||
      marks === undefined ||
      !blob.subarray(0, BLOB_HEAD_BYTES).equals(blobHead)
    ) {
      this.replace(sid, 'dead');
      return 'dead';
    }
    const isOriginalNew = replaces === undefined || marks.add(replaces);
    if (!marks.add(sequence)) {
      return 'replay';
    }
    return isOriginalNew ? 'first' : 'original-marked';
  }

  async kill(sid: string): Promise<void> {
    this.replace(sid, 'dead');
  }

  async check(): Promise<void> {
    this.dropExpired();
    this.checkRoom();
  }

  async describe(): Promise<StoreDescription> {
    return DESCRIPTION;
  }

  /* eslint-enable @typescript-eslint/require-await */

  watch(listener: (report: StoreReport) => void): void {
    listener({ state: 'available', description: DESCRIPTION });
  }

  /** Sets a new entry, or the state of an existing one. In either case its lifetime starts now. */
  private replace(sid: string, state: 'reserved' | 'dead'): void {
    this.dropExpired();
    if (!this.entries.delete(sid)) {
      this.checkRoom();
    }
    this.entries.set(sid, { state, expiresAtMs: this.clock.monotonicMs() + this.lifetimeMs });
  }

  private find(sid: string): Entry | undefined {
    this.dropExpired();
    return this.entries.get(sid);
  }

  private checkRoom(): void {
    if (this.entries.size >= this.maxEntries) {
      throw new SessionStoreUnavailableError(`the store is full at ${this.maxEntries} sessions`);
    }
  }

  private dropExpired(): void {
    const now = this.clock.monotonicMs();
    for (const [sid, entry] of this.entries) {
      if (entry.expiresAtMs > now) {
        return;
      }
      this.entries.delete(sid);
    }
  }
}

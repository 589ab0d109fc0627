import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

import type { Clock } from './clock.js';
import { SequenceMarks } from './sequence-marks.js';
import type { MarkOutcome, SessionStore } from './session-store.js';

/** A process that restarts forgets every session with its marks, so its history needs no name. */
const EPOCH = '0'.repeat(EPOCH_BYTES);

interface Entry {
  readonly state: 'reserved' | 'live' | 'dead';
  /** On the monotonic clock. */
  readonly expiresAtMs: number;
  readonly blob?: Buffer;
  readonly marks?: SequenceMarks;
}

/**
 * The store of one process without Redis (`REDIS_URL=memory://`). An entry lives one session lifetime from its last
 * RESERVE or KILL, so that their number is bounded by how many pairings a lifetime sees.
 */
export class MemorySessionStore implements SessionStore {
  /** Ordered by expiry, as every entry that is set anew moves to the end and lives equally long. */
  private readonly entries = new Map<string, Entry>();

  /** @param lifetimeMs - how long an entry is kept */
  constructor(
    private readonly clock: Clock,
    private readonly lifetimeMs: number,
  ) {}

  reserve(sid: string): Promise<string | undefined> {
    this.dropExpired();
    if (this.entries.has(sid)) {
      return Promise.resolve(undefined);
    }
    this.replace(sid, 'reserved');
    return Promise.resolve(EPOCH);
  }

  put(sid: string, blob: Buffer): Promise<boolean> {
    const entry = this.find(sid);
    const isOfThisEpoch = blob.toString('latin1', 0, EPOCH_BYTES) === EPOCH;
    if (entry?.state !== 'reserved' || !isOfThisEpoch || blob.length !== BLOB_BYTES) {
      return Promise.resolve(false);
    }
    const { expiresAtMs } = entry;
    this.entries.set(sid, { state: 'live', expiresAtMs, blob, marks: new SequenceMarks() });
    return Promise.resolve(true);
  }

  open(sid: string): Promise<Buffer | undefined> {
    const blob = this.find(sid)?.blob;
    if (blob === undefined) {
      this.replace(sid, 'dead');
    }
    return Promise.resolve(blob);
  }

  mark(sid: string, sequence: number, blobHead: Buffer): Promise<MarkOutcome> {
    const { blob, marks } = this.find(sid) ?? {};
    if (
      blob === undefined ||
      marks === undefined ||
      !blob.subarray(0, BLOB_HEAD_BYTES).equals(blobHead)
    ) {
      this.replace(sid, 'dead');
      return Promise.resolve('dead');
    }
    return Promise.resolve(marks.add(sequence) ? 'first' : 'replay');
  }

  kill(sid: string): Promise<void> {
    this.replace(sid, 'dead');
    return Promise.resolve();
  }

  private replace(sid: string, state: 'reserved' | 'dead'): void {
    this.entries.delete(sid);
    this.entries.set(sid, { state, expiresAtMs: this.clock.monotonicMs() + this.lifetimeMs });
  }

  private find(sid: string): Entry | undefined {
    this.dropExpired();
    return this.entries.get(sid);
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

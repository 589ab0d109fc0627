import { MAX_SEQUENCE, type TunnelHeader } from '@relay/protocol';

/** The injection token of the session store. */
export const SessionStore = Symbol('SessionStore');

/**
 * The outcome of MARK. protocol.md section 5.
 *
 * - `first`: the sequence number was unused, as was the one that the message replaces, if any. Both are now consumed.
 * - `replay`: the sequence number was already consumed; the session stays live.
 * - `original-marked`: the number that the message replaces was already consumed, so the original was or may be forwarded.
 *   The message's own number is now consumed as well.
 * - `dead`: the store no longer has the session that was opened; whatever had its id has been killed.
 */
export type MarkOutcome = 'first' | 'replay' | 'original-marked' | 'dead';

/** The sequence numbers that one message consumes. */
export type MessageNumbers = Pick<TunnelHeader, 'sequence' | 'replaces'>;

/**
 * Every store calls this before it marks: the bitmap of a session takes at most 128 KiB, and to set a bit far beyond
 * that, Redis would allocate hundreds of MiB.
 *
 * @throws RangeError if a number is not an integer from 1 to 2^20 − 1
 */
export function checkNumbers({ sequence, replaces = sequence }: MessageNumbers): void {
  for (const number of [sequence, replaces]) {
    if (!Number.isInteger(number) || number < 1 || number > MAX_SEQUENCE) {
      throw new RangeError(`sequence number ${number} is not between 1 and ${MAX_SEQUENCE}`);
    }
  }
}

/**
 * Where the inbound role keeps its sessions: one entry per session, shared by all replicas. protocol.md section 5.
 *
 * Every operation is atomic. Every operation rejects with SessionStoreUnavailableError if its outcome is unknown; no
 * operation reports a session as absent because the store did not reply. Once an operation has settled, the store uses
 * none of the buffers that it was given; a blob that it returns belongs to the caller.
 */
export interface SessionStore {
  /**
   * RESERVE: claims a session id that has not been used within one session lifetime.
   *
   * @returns the store's epoch (40 characters), or undefined if the id is taken
   */
  reserve(sid: string): Promise<string | undefined>;

  /**
   * PUT: fills a reserved entry.
   *
   * @param blob - 164 bytes from sealSessionBlob; a blob of another length is not saved
   * @returns false if the entry is no longer reserved, or if the blob is of another epoch than the store
   */
  put(sid: string, blob: Buffer): Promise<boolean>;

  /**
   * OPEN: reads a live session. Anything else under the id, including nothing, is killed before this returns.
   *
   * @returns the blob (164 bytes), or undefined if there is no live session of this epoch
   */
  open(sid: string): Promise<Buffer | undefined>;

  /**
   * MARK: consumes the sequence number of a message, and in the same step, before it, that of the message which it replaces.
   *
   * @param numbers - each 1 … 2^20 − 1; any other number is rejected with a RangeError, and changes nothing
   * @param blobHead - the first 56 bytes of the blob that was opened
   */
  mark(sid: string, numbers: MessageNumbers, blobHead: Buffer): Promise<MarkOutcome>;

  /** KILL: ends the session. For one session lifetime, its id can be neither opened nor reserved. */
  kill(sid: string): Promise<void>;
}

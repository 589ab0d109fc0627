/** The injection token of the session store. */
export const SessionStore = Symbol('SessionStore');

/**
 * The outcome of MARK. protocol.md section 5.
 *
 * - `first`: the sequence number was unused, and is now consumed.
 * - `replay`: the sequence number was already consumed; the session stays live.
 * - `dead`: the store no longer has the session that was opened; whatever had its id has been killed.
 */
export type MarkOutcome = 'first' | 'replay' | 'dead';

/** The bitmap of a session then takes 128 KiB. */
const LAST_SEQUENCE = 2 ** 20 - 1;

/**
 * Every store calls this before it marks: to set a bit far beyond the bitmap, Redis would allocate hundreds of MiB.
 *
 * @throws RangeError if the sequence number is not an integer from 1 to 2^20 − 1
 */
export function checkSequence(sequence: number): void {
  if (!Number.isInteger(sequence) || sequence < 1 || sequence > LAST_SEQUENCE) {
    throw new RangeError(`sequence number ${sequence} is not between 1 and ${LAST_SEQUENCE}`);
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
   * @param blob - 144 bytes from sealSessionBlob; a blob of another length is not saved
   * @returns false if the entry is no longer reserved, or if the blob is of another epoch than the store
   */
  put(sid: string, blob: Buffer): Promise<boolean>;

  /**
   * OPEN: reads a live session. Anything else under the id, including nothing, is killed before this returns.
   *
   * @returns the blob (144 bytes), or undefined if there is no live session of this epoch
   */
  open(sid: string): Promise<Buffer | undefined>;

  /**
   * MARK: consumes a sequence number.
   *
   * @param sequence - 1 … 2^20 − 1; any other number is rejected with a RangeError, and changes nothing
   * @param blobHead - the first 56 bytes of the blob that was opened
   */
  mark(sid: string, sequence: number, blobHead: Buffer): Promise<MarkOutcome>;

  /** KILL: ends the session. For one session lifetime, its id can be neither opened nor reserved. */
  kill(sid: string): Promise<void>;
}

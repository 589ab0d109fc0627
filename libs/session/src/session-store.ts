/**
 * Where the inbound role keeps its sessions: one entry a session, shared by all replicas. protocol.md section 5. Every
 * operation is atomic; every one rejects with SessionStoreUnavailableError where its outcome is unknown, and never
 * answers "absent" for a store that does not answer.
 */
export const SessionStore = Symbol('SessionStore');

/** Outcome of MARK: the first use of a sequence number, a repeated one, or a session that is not the one opened. */
export type MarkOutcome = 'first' | 'replay' | 'dead';

/** The bitmap of a session then takes 128 KiB. */
const LAST_SEQUENCE = 2 ** 20 - 1;

/** Every store asks before it marks: a bit far away would be paid for with hundreds of MiB. */
export function checkSequence(sequence: number): void {
  if (!Number.isInteger(sequence) || sequence < 1 || sequence > LAST_SEQUENCE) {
    throw new RangeError(`sequence number ${sequence} is not within 1 and ${LAST_SEQUENCE}`);
  }
}

export interface SessionStore {
  /**
   * RESERVE: claims a session id that was never used within one session lifetime.
   *
   * @returns the store's epoch (40 characters), or undefined where the id is taken
   */
  reserve(sid: string): Promise<string | undefined>;

  /**
   * PUT: fills a reserved entry.
   *
   * @param blob - 144 bytes from sealSessionBlob; anything else is not saved
   * @returns false where the entry is not reserved any more, or the epoch has changed since
   */
  put(sid: string, blob: Buffer): Promise<boolean>;

  /**
   * OPEN: reads a live session; whatever else is found under the id is killed before the answer.
   *
   * @returns the blob, or undefined where there is no live session of this epoch
   */
  open(sid: string): Promise<Buffer | undefined>;

  /**
   * MARK: burns a sequence number.
   *
   * @param sequence - 1 … 2^20 − 1
   * @param blobHead - the first 56 bytes of the blob that was opened
   */
  mark(sid: string, sequence: number, blobHead: Buffer): Promise<MarkOutcome>;

  /** KILL: ends the session for one lifetime; its id can be neither opened nor reserved again. */
  kill(sid: string): Promise<void>;
}

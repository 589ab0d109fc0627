/**
 * Where the inbound role keeps its sessions: one entry a session, shared by all replicas. protocol.md section 5. Every
 * operation is atomic; every one rejects with SessionStoreUnavailableError where its outcome is unknown, and never
 * answers "absent" for a store that does not answer.
 */
export const SessionStore = Symbol('SessionStore');

/** Outcome of MARK: the first use of a sequence number, a repeated one, or a session that is not the one opened. */
export type MarkOutcome = 'first' | 'replay' | 'dead';

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
   * @param blob - 144 bytes from sealSessionBlob
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

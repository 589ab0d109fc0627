import { Inject, Injectable, Optional } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';
import {
  BLOB_HEAD_BYTES,
  openSessionBlob,
  sealSessionBlob,
  type SecretKeys,
  type SessionKeys,
} from '@relay/protocol';

import { SessionStore } from './session-store.js';
import { StoreMeter, type StoreOperation } from './store-meter.js';
import {
  MarkFailedError,
  MessageReplayedError,
  PairNotSavedError,
  PairReplayedError,
  PairStoreUnavailableError,
  SessionExpiredError,
  SessionUnknownError,
} from './session.errors.js';

/** The sender that a session belongs to. A stored session is bound to it: no other sender can open it. */
export interface SessionOwner {
  /** `kid "." clientId`. */
  readonly identity: string;
  /** The keys of the secret with that kid; the stored session is sealed with them. */
  readonly secretKeys: SecretKeys;
}

/** A session that has been opened for one message. */
export interface OpenSession {
  /** The session id: base64url of 16 bytes. */
  readonly sid: string;
  /** What the keys of each message are derived from: 32 bytes per direction, which belong to the caller. */
  readonly keys: SessionKeys;
  /**
   * Epoch, kid and nonce of the stored session, 56 bytes. Identifies exactly this session: a replayed pairing may
   * create its id again, but never its nonce.
   */
  readonly blobHead: Buffer;
}

/**
 * The sessions of the inbound role, sealed at rest. protocol.md sections 4, 5 and 7.
 *
 * Pairing calls `reserve` and then `save`; a message calls `open` and then `mark`.
 */
@Injectable()
export class SessionService {
  constructor(
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(Clock) private readonly clock: Clock,
    private readonly config: RelayConfig,
    @Optional() @Inject(StoreMeter) private readonly meter?: StoreMeter,
  ) {}

  /**
   * Claims the id of a session that is about to be created.
   *
   * @returns the store's epoch (40 characters), to be passed to `save`
   * @throws PairReplayedError if the id has been used before
   * @throws PairStoreUnavailableError if the store is unavailable
   */
  async reserve(sid: string): Promise<string> {
    const epoch = await this.timed('reserve', () => this.store.reserve(sid)).catch(
      (error: unknown) => {
        throw new PairStoreUnavailableError('cannot reserve a session', { cause: error });
      },
    );
    if (epoch === undefined) {
      throw new PairReplayedError('this pairing request was seen before');
    }
    return epoch;
  }

  /**
   * Seals and saves a reserved session. Its lifetime of SESSION_LIFETIME_SECONDS starts now, by the wall clock.
   *
   * @param keys - 32 bytes per direction, which are copied
   * @param epoch - what `reserve` returned
   * @throws PairNotSavedError if the store is unavailable, the reservation is gone or the epoch has changed
   */
  async save(sid: string, owner: SessionOwner, keys: SessionKeys, epoch: string): Promise<void> {
    const expiresAtMs = this.clock.nowMs() + this.config.sessionLifetimeSeconds * 1000;
    const session = { keys, expiresAtMs };
    const blob = sealSessionBlob(session, owner.secretKeys, sid, owner.identity, epoch);
    const isSaved = await this.timed('put', () => this.store.put(sid, blob)).catch(
      (error: unknown) => {
        throw new PairNotSavedError('cannot save the session', { cause: error });
      },
    );
    if (!isSaved) {
      throw new PairNotSavedError('the reserved session is gone from the store');
    }
  }

  /**
   * Opens the session of a message. A session past its lifetime or sequence limit is killed before this throws.
   *
   * @param sequence - the message's sequence number; only compared with SESSION_MAX_MESSAGES, not consumed
   * @throws SessionExpiredError if the session is past a limit
   * @throws SessionUnknownError if there is no live session with this id
   * @throws SessionBlobInvalidError if the session belongs to another sender or secret; it stays live
   * @throws SessionStoreUnavailableError if the store is unavailable
   */
  async open(sid: string, sequence: number, owner: SessionOwner): Promise<OpenSession> {
    if (sequence > this.config.sessionMaxMessages) {
      await this.timed('kill', () => this.store.kill(sid));
      throw new SessionExpiredError('the session has used up its sequence numbers');
    }
    const blob = await this.timed('open', () => this.store.open(sid));
    if (blob === undefined) {
      throw new SessionUnknownError('no live session has this id');
    }
    const session = openSessionBlob(blob, owner.secretKeys, sid, owner.identity);
    if (session.expiresAtMs <= this.clock.nowMs()) {
      await this.timed('kill', () => this.store.kill(sid));
      throw new SessionExpiredError('the session is past its lifetime');
    }
    return { sid, keys: session.keys, blobHead: blob.subarray(0, BLOB_HEAD_BYTES) };
  }

  /**
   * Consumes a sequence number. Only if this resolves may the message be forwarded, and only once.
   *
   * @param sequence - 1 … 2^20 − 1
   * @throws MessageReplayedError if the sequence number has already been consumed
   * @throws SessionUnknownError if the session has ended since it was opened
   * @throws MarkFailedError if it is unknown whether the sequence number was consumed
   */
  async mark(session: OpenSession, sequence: number): Promise<void> {
    const outcome = await this.timed('mark', () =>
      this.store.mark(session.sid, sequence, session.blobHead),
    ).catch((error: unknown) => {
      throw new MarkFailedError('cannot tell whether the sequence number was consumed', {
        cause: error,
      });
    });
    switch (outcome) {
      case 'first':
        return;
      case 'replay':
        throw new MessageReplayedError(`sequence number ${sequence} was used before`);
      case 'dead':
        throw new SessionUnknownError('the session ended while its message was read');
    }
  }

  private async timed<Reply>(operation: StoreOperation, run: () => Promise<Reply>): Promise<Reply> {
    const startedAt = performance.now();
    let hasFailed = true;
    try {
      const reply = await run();
      hasFailed = false;
      return reply;
    } finally {
      this.meter?.observe(operation, (performance.now() - startedAt) / 1000, hasFailed);
    }
  }
}

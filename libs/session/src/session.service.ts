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

/** Who a session belongs to: part of what its stored form is bound to. */
export interface SessionOwner {
  /** `kid "." clientId`. */
  readonly identity: string;
  readonly secretKeys: SecretKeys;
}

/** A session that was opened for one message. */
export interface OpenSession {
  readonly sid: string;
  readonly keys: SessionKeys;
  /** Names this very session: its id may be made anew by a replay, its nonce not. */
  readonly blobHead: Buffer;
}

/** The sessions of the inbound role, sealed at rest. protocol.md sections 4, 5 and 7. */
@Injectable()
export class SessionService {
  constructor(
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(Clock) private readonly clock: Clock,
    private readonly config: RelayConfig,
    @Optional() @Inject(StoreMeter) private readonly meter?: StoreMeter,
  ) {}

  /**
   * Claims the id of a session to be made.
   *
   * @returns the store's epoch, for `save`
   * @throws PairReplayedError, PairStoreUnavailableError
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

  /** @throws PairNotSavedError */
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
   * Opens the session of a message; one that is past a limit is killed first.
   *
   * @throws SessionExpiredError, SessionUnknownError, SessionBlobInvalidError, SessionStoreUnavailableError
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
   * Burns a sequence number: what returns from here is the one permission to forward its message.
   *
   * @throws MessageReplayedError, SessionUnknownError, MarkFailedError
   */
  async mark(session: OpenSession, sequence: number): Promise<void> {
    const outcome = await this.timed('mark', () =>
      this.store.mark(session.sid, sequence, session.blobHead),
    ).catch((error: unknown) => {
      throw new MarkFailedError('cannot tell whether the sequence number was burnt', {
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

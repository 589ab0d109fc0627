import { Inject, Injectable, Optional } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';
import {
  BLOB_HEAD_BYTES,
  audienceHash,
  deriveProof,
  openSessionBlob,
  sealSessionBlob,
  type SecretKeys,
  type SessionKeys,
  type StoredSession,
  type TunnelHeader,
} from '@relay/protocol';

import { Audiences } from './audiences.js';
import { SessionStore, type MarkOutcome, type MessageNumbers } from './session-store.js';
import { StoreMeter, type StoreOperation } from './store-meter.js';
import {
  AudienceRefusedError,
  MarkFailedError,
  MessageReplayedError,
  PairNotSavedError,
  PairReplayedError,
  PairStoreUnavailableError,
  SessionExpiredError,
  SessionRefusedError,
  SessionUnknownError,
} from './session.errors.js';

/** A message whose first record arrives later than this after it was sent was held back on the way. protocol.md section 7. */
const MAX_DELAY_SECONDS = 30;
/** A message that seems to come from further in the future shows that a clock was stepped. protocol.md section 7. */
const MAX_LEAD_SECONDS = 300;

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
  /** Name of the audience that it was paired for: its `audienceHash` in lower-case hexadecimal. */
  readonly audience: string;
  /** What the keys of each message are derived from: 32 bytes per direction, which belong to the caller. */
  readonly keys: SessionKeys;
  /**
   * Epoch, kid and nonce of the stored session, 56 bytes. Identifies exactly this session: a replayed pairing may
   * create its id again, but never its nonce.
   */
  readonly blobHead: Buffer;
  /** When the session was saved, by the responder's wall clock. */
  readonly startedAtMs: number;
  /** When its lifetime ends, by the same clock. */
  readonly expiresAtMs: number;
}

/** What a message, or the opening of a channel, says of its session. */
export type SessionUse = Pick<TunnelHeader, 'sid' | 'sequence' | 'replaces' | 'ageSeconds'>;

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
    @Inject(Audiences) private readonly audiences: Audiences,
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
   * @param paired - what the pairing agreed on: keys, which are copied, and the audience that the sender asked for
   * @param epoch - what `reserve` returned
   * @throws PairNotSavedError if the store is unavailable, the reservation is gone or the epoch has changed
   */
  async save(
    sid: string,
    owner: SessionOwner,
    paired: { readonly keys: SessionKeys; readonly audience: string },
    epoch: string,
  ): Promise<void> {
    const lifetimeSeconds = this.config.sessionLifetimeSeconds;
    const session = {
      keys: paired.keys,
      expiresAtMs: this.clock.nowMs() + lifetimeSeconds * 1000,
      lifetimeSeconds,
      audienceHash: audienceHash(paired.audience),
    };
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
   * Opens the session of a message. If the session is past a limit, the message's number is consumed and the session killed
   * before this throws: only a number that this relay itself has consumed proves that its message was never forwarded.
   *
   * @throws SessionUnknownError if there is no live session with this id
   * @throws SessionBlobInvalidError if the session belongs to another sender or secret; it stays live
   * @throws AudienceRefusedError if the session is for another relay; nothing is consumed
   * @throws SessionRefusedError if the sender may not use this relay under the session's audience, and the message is now consumed
   * @throws SessionExpiredError if the session is past its lifetime or SESSION_MAX_MESSAGES, and the message is now consumed
   * @throws MessageReplayedError if one of the last two holds, and the message was consumed before
   * @throws SessionStoreUnavailableError if the store is unavailable
   */
  async open(header: SessionUse, owner: SessionOwner): Promise<OpenSession> {
    const { sid, sequence } = header;
    const blob = await this.timed('open', () => this.store.open(sid));
    if (blob === undefined) {
      throw new SessionUnknownError('no live session has this id');
    }
    const stored = openSessionBlob(blob, owner.secretKeys, sid, owner.identity);
    const session = openSession(sid, blob, stored);
    if (!this.audiences.accepts(session.audience, owner.secretKeys.kid)) {
      await this.refuse(session, header);
    }
    if (sequence > this.config.sessionMaxMessages) {
      await this.expire(session, header, 'the session has used up its sequence numbers');
    }
    if (stored.expiresAtMs <= this.clock.nowMs()) {
      await this.expire(session, header, 'the session is past its lifetime');
    }
    return session;
  }

  /**
   * Whether a message was held back on its way, or a clock was stepped since the pairing: by this relay's clock its session is
   * much older, or much younger, than the sender's own clock said when it sent the message. protocol.md section 7.
   */
  isLate({ startedAtMs }: OpenSession, { ageSeconds }: SessionUse): boolean {
    const delaySeconds = (this.clock.nowMs() - startedAtMs) / 1000 - ageSeconds;
    return delaySeconds > MAX_DELAY_SECONDS || delaySeconds < -MAX_LEAD_SECONDS;
  }

  /**
   * Consumes the number of a message, and that of the message which it replaces. Only if this resolves may the message be
   * forwarded, and only once.
   *
   * @throws MessageReplayedError if one of the numbers has already been consumed
   * @throws SessionUnknownError if the session has ended since it was opened
   * @throws MarkFailedError if it is unknown whether the numbers were consumed
   */
  async mark(session: OpenSession, numbers: MessageNumbers): Promise<void> {
    requireFirst(
      await this.markIn(session, numbers).catch((error: unknown) => {
        throw new MarkFailedError('cannot tell whether the sequence number was consumed', {
          cause: error,
        });
      }),
      numbers,
    );
  }

  /** What is for another relay, which may still get it, is left as it is. */
  private async refuse(session: OpenSession, numbers: MessageNumbers): Promise<never> {
    if (!this.audiences.isOwn(session.audience)) {
      throw new AudienceRefusedError('the session is for another relay');
    }
    requireFirst(await this.markIn(session, numbers), numbers);
    throw new SessionRefusedError(
      'the tenant of the session was removed, or its sender may not enter it any more',
      deriveProof(session.keys),
    );
  }

  private async expire(
    session: OpenSession,
    numbers: MessageNumbers,
    reason: string,
  ): Promise<never> {
    requireFirst(await this.markIn(session, numbers), numbers);
    const proof = deriveProof(session.keys);
    await this.timed('kill', () => this.store.kill(session.sid)).catch((error: unknown) => {
      // The message is consumed all the same, and the next one finds the session past its limit again.
      throw new SessionExpiredError(reason, proof, { cause: error });
    });
    throw new SessionExpiredError(reason, proof);
  }

  /** @throws SessionStoreUnavailableError */
  private markIn({ sid, blobHead }: OpenSession, numbers: MessageNumbers): Promise<MarkOutcome> {
    return this.timed('mark', () => this.store.mark(sid, numbers, blobHead));
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

/** @throws MessageReplayedError, SessionUnknownError */
function requireFirst(outcome: MarkOutcome, { sequence, replaces }: MessageNumbers): void {
  switch (outcome) {
    case 'first':
      return;
    case 'replay':
      throw new MessageReplayedError(`sequence number ${sequence} was used before`);
    case 'original-marked':
      throw new MessageReplayedError(
        `sequence number ${replaces ?? sequence}, which ${sequence} replaces, was used before`,
      );
    case 'dead':
      throw new SessionUnknownError('the session ended while its message was read');
  }
}

function openSession(sid: string, blob: Buffer, stored: StoredSession): OpenSession {
  return {
    sid,
    audience: stored.audienceHash.toString('hex'),
    keys: stored.keys,
    blobHead: blob.subarray(0, BLOB_HEAD_BYTES),
    startedAtMs: stored.expiresAtMs - stored.lifetimeSeconds * 1000,
    expiresAtMs: stored.expiresAtMs,
  };
}

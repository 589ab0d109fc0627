import { confirmPairing, encapsulate, type PairTranscript } from './key-exchange.js';
import { encodePairResponse } from './pair-message.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

/** What the inbound role promises for a new session, equal on all replicas. */
export interface SessionTerms {
  /** 300 … 86,400. */
  readonly lifetimeSeconds: number;
  /** 1 … 2^20 − 1. */
  readonly maxMessages: number;
}

/**
 * The inbound role's side of one pairing: encapsulates to the initiator's key and confirms. It is the expensive step
 * (about 4 ms), so the signature, the clock and the session id are checked before. protocol.md section 4.
 *
 * @param identity - `kid "." clientId` of the verified sender
 * @param randomness - 64 bytes that replace fresh ones; for known-answer tests only
 * @returns the new session's keys and the body of the answer
 * @throws PairKeyInvalidError
 */
export async function respondToPairing(
  publicKey: Uint8Array,
  transcript: PairTranscript,
  secretKeys: SecretKeys,
  identity: string,
  terms: SessionTerms,
  randomness?: Uint8Array,
): Promise<{ readonly keys: SessionKeys; readonly responseBody: Buffer }> {
  const { encapsulation, keys } = await encapsulate(
    publicKey,
    transcript,
    secretKeys,
    identity,
    randomness,
  );
  const confirmed = encodePairResponse({ ...terms, encapsulation });
  const responseBody = Buffer.concat([confirmed, confirmPairing(keys, transcript, confirmed)]);
  const { clientToServer, serverToClient } = keys;
  return { keys: { clientToServer, serverToClient }, responseBody };
}

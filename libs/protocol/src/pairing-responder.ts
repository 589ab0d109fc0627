import { confirmPairing, encapsulate, type PairTranscript } from './key-exchange.js';
import { encodePairResponse } from './pair-message.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

/**
 * The limits that the inbound role sets for a new session, equal on all of its replicas. protocol.md sections 4 and 9.
 */
export interface SessionTerms {
  /** How long the session may be used, in seconds from pairing on: 300 … 86,400. */
  readonly lifetimeSeconds: number;
  /** How many messages may be sent in the session: 1 … 2^20 − 1. */
  readonly maxMessages: number;
}

/**
 * The responder's side of one pairing: encapsulates to the initiator's public key and computes the confirmation. This
 * is the expensive step (about 4 ms), so the caller first verifies the signature and the clock, and reserves the
 * session id. protocol.md section 4.
 *
 * @param publicKey - from decodePairRequest; only read
 * @param transcript - from pairTranscript, over the header and body of this request
 * @param secretKeys - the keys that the sender's kid names
 * @param identity - `kid "." clientId` of the verified sender
 * @param terms - sent as they are; the initiator rejects them if they are out of bounds
 * @param randomness - 64 bytes that replace random ones; for known-answer tests only
 * @returns the keys of the new session and the body of the response, both owned by the caller
 * @throws PairKeyInvalidError if encapsulation to the public key fails
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

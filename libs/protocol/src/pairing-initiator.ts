import { randomBytes, timingSafeEqual } from 'node:crypto';

import {
  confirmPairing,
  decapsulate,
  generateKeyPair,
  pairTranscript,
  type EphemeralKeyPair,
} from './key-exchange.js';
import { CONFIRM_BYTES, decodePairResponse, encodePairRequest } from './pair-message.js';
import { PairConfirmInvalidError, RelayHeaderMalformedError } from './protocol.errors.js';
import { parseClientIdHeader } from './client-id-header.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

const SEED_BYTES = 32;

/** A session as the outbound role knows it after pairing. protocol.md section 4. */
export interface PairedSession {
  /** The session id: 16 bytes as 22 characters of base64url. */
  readonly sid: string;
  /** Owned by the caller. */
  readonly keys: SessionKeys;
  /** How long the inbound role accepts the session, in seconds from pairing on: 300 … 86,400. */
  readonly lifetimeSeconds: number;
  /** How many messages the session may carry, and so its highest sequence number: 1 … 2^20 − 1. */
  readonly maxMessages: number;
}

/** The initiator's side of one pairing: begin it, send the body to the peer, complete it. protocol.md section 4. */
export class PairingInitiator {
  private constructor(
    /** The body of `POST /api/mte-pair`. It must stay unchanged until complete() has been called, which hashes it. */
    readonly requestBody: Buffer,
    private keyPair: EphemeralKeyPair | undefined,
  ) {}

  /**
   * Generates an ephemeral key pair, which serves this pairing only, and encodes the request body.
   *
   * @param audience - origin of the peer: 1–255 ASCII bytes
   * @param unixMs - milliseconds since 1970 by this relay's clock, corrected by the offset that the peer reported
   * @param seed - 32 bytes that replace random ones; for known-answer tests only
   * @throws PairMessageMalformedError if the audience is empty, longer than 255 bytes or not ASCII
   */
  static async begin(
    audience: string,
    unixMs: number,
    seed: Uint8Array = randomBytes(SEED_BYTES),
  ): Promise<PairingInitiator> {
    const { keyPair, publicKey } = await generateKeyPair(seed);
    return new PairingInitiator(encodePairRequest({ unixMs, audience, publicKey }), keyPair);
  }

  /**
   * Verifies the peer's response and derives the session. The secret key is dropped first, whatever the outcome, so an
   * initiator completes once.
   *
   * @param clientIdHeader - the `x-mte-client-id` value that was sent with the request body
   * @param responseBody - the whole body of the response; only read
   * @param secretKeys - the keys of CLIENT_ID_SECRET, which also signed the header
   * @throws PairMessageMalformedError if the response has a wrong length, version or suite, or terms out of bounds
   * @throws PairConfirmInvalidError if the response does not prove that the peer holds the secret and saw this request
   * @throws RelayHeaderMalformedError if the header does not match its pattern, or on a second call
   */
  async complete(
    clientIdHeader: string,
    responseBody: Buffer,
    secretKeys: SecretKeys,
  ): Promise<PairedSession> {
    const keyPair = this.keyPair;
    this.keyPair = undefined;
    if (keyPair === undefined) {
      throw new RelayHeaderMalformedError('a pairing can be completed only once');
    }
    const response = decodePairResponse(responseBody);
    const transcript = pairTranscript(clientIdHeader, this.requestBody);
    const { identity } = parseClientIdHeader(clientIdHeader);
    const keys = await decapsulate(
      response.encapsulation,
      keyPair,
      transcript,
      secretKeys,
      identity,
    );
    const expected = confirmPairing(keys, transcript, response.confirmed);
    if (response.confirm.length !== CONFIRM_BYTES || !timingSafeEqual(response.confirm, expected)) {
      throw new PairConfirmInvalidError('the peer did not confirm the key exchange');
    }
    return {
      sid: transcript.sid,
      keys: { clientToServer: keys.clientToServer, serverToClient: keys.serverToClient },
      lifetimeSeconds: response.lifetimeSeconds,
      maxMessages: response.maxMessages,
    };
  }
}

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

/** A session as the outbound role knows it. */
export interface PairedSession {
  readonly sid: string;
  readonly keys: SessionKeys;
  readonly lifetimeSeconds: number;
  readonly maxMessages: number;
}

/** The outbound role's side of one pairing. protocol.md section 4. */
export class PairingInitiator {
  private constructor(
    /** To be sent as the body of `POST /api/mte-pair`. */
    readonly requestBody: Buffer,
    private keyPair: EphemeralKeyPair | undefined,
  ) {}

  /**
   * Makes the ephemeral key, which serves one pairing.
   *
   * @param audience - origin of the peer: 1–255 ASCII bytes
   * @param unixMs - this relay's clock, corrected by what the peer said of its own
   * @param seed - 32 bytes that replace random ones; for known-answer tests only
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
   * Verifies the peer's answer. The secret key is dropped whatever comes of it.
   *
   * @param clientIdHeader - the signed header that went with the request body
   * @throws PairMessageMalformedError, PairConfirmInvalidError
   */
  async complete(
    clientIdHeader: string,
    responseBody: Buffer,
    secretKeys: SecretKeys,
  ): Promise<PairedSession> {
    const keyPair = this.keyPair;
    this.keyPair = undefined;
    if (keyPair === undefined) {
      throw new RelayHeaderMalformedError('a key pair serves one pairing');
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

import type { SecretKeys } from '@relay/protocol';

import { signSender, type SignedPurpose } from './sender-signature.js';

/** Signs the requests of this relay, in its outbound role, to one peer. */
export class SenderSigner {
  /** @param clientId - the name of this process to its peers: 1–64 characters of base64url */
  constructor(
    /** The keys that this relay signs its requests with; the peer's signed errors verify with the same keys. */
    readonly secretKeys: SecretKeys,
    private readonly clientId: string,
  ) {}

  /**
   * Signs a request. protocol.md section 2.
   *
   * @param relayHeader - the value of `x-mte-relay` of the same request
   * @param signed - what else the signature covers
   * @returns the value of `x-mte-client-id`
   */
  sign(relayHeader: string, signed: SignedPurpose): string {
    return signSender(this.secretKeys, this.clientId, relayHeader, signed);
  }
}

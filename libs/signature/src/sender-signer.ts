import type { SecretKeys } from '@relay/protocol';

import { SenderSelfError } from './signature.errors.js';
import { signSender, type SignedPurpose } from './sender-signature.js';

/** Signs the requests of this relay in its outbound role. */
export class SenderSigner {
  /** @param clientId - the name of this process to its peers: 1–64 characters of base64url */
  constructor(
    /** The keys that this relay signs its requests with; its peers' signed errors verify with the same keys. */
    readonly secretKeys: SecretKeys,
    private readonly clientId: string,
  ) {}

  /**
   * Refuses a request of this relay itself: it would be executed at home, though it was meant for a peer.
   *
   * @param identity - `kid "." clientId` of the sender
   * @throws SenderSelfError
   */
  refuseSelf(identity: string): void {
    if (identity.slice(identity.indexOf('.') + 1) === this.clientId) {
      throw new SenderSelfError('the sender of the request is this relay itself');
    }
  }

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

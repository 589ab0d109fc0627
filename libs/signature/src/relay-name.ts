import type { SecretKeys } from '@relay/protocol';

import { SenderSelfError } from './signature.errors.js';
import { SenderSigner } from './sender-signer.js';

/** The name of this process to its peers. */
export class RelayName {
  /** @param clientId - 1–64 characters of base64url */
  constructor(readonly clientId: string) {}

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

  /** Signs requests to a peer under this name. */
  signer(secretKeys: SecretKeys): SenderSigner {
    return new SenderSigner(secretKeys, this.clientId);
  }
}

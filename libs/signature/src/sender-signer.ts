import type { SecretKeys } from '@relay/protocol';

import { signSender, type SignedPurpose } from './sender-signature.js';

/** This relay as a sender: its name, and the keys that it signs and verifies with in the outbound role. */
export class SenderSigner {
  constructor(
    readonly secretKeys: SecretKeys,
    private readonly clientId: string,
  ) {}

  /** @returns the value of `x-mte-client-id` */
  sign(relayHeader: string, signed: SignedPurpose): string {
    return signSender(this.secretKeys, this.clientId, relayHeader, signed);
  }
}

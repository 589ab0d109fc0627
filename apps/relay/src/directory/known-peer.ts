import type { PeerEntry } from '@relay/config';
import { deriveProof, KeyRing, type SessionKeys } from '@relay/protocol';
import { verifyError, type RelayName, type SenderSigner, type SignedError } from '@relay/signature';

/** A peer that this relay knows, with the keys of the secrets that the two share. It is replaced when its entry changes. */
export class KnownPeer {
  /** Signs what goes to this peer. */
  readonly signer: SenderSigner;

  private constructor(
    readonly entry: PeerEntry,
    readonly keys: KeyRing,
    name: RelayName,
  ) {
    this.signer = name.signer(keys.current);
  }

  /**
   * Makes a peer of its entry. Deriving keys takes about 130 ms for each secret.
   *
   * @param previous - the peer of that name until now, whose keys are kept if the secrets are the same
   */
  static async of(entry: PeerEntry, name: RelayName, previous?: KnownPeer): Promise<KnownPeer> {
    const { secret, secretAlt } = entry;
    const isSame = previous?.entry.secret === secret && previous.entry.secretAlt === secretAlt;
    const keys = isSame ? previous.keys : await KeyRing.derive(secret, secretAlt);
    return new KnownPeer(entry, keys, name);
  }

  /** Empty for the peer that the environment makes. */
  get name(): string {
    return this.entry.name;
  }

  /** @returns the value of `x-mte-client-id` that goes with this `x-mte-relay` value */
  sign(relayHeader: string): string {
    return this.signer.sign(relayHeader, { purpose: 'tunnel' });
  }

  /**
   * @param clientIdHeader - what `sign` returned for the message
   * @param keys - of the session that the message was sealed in
   * @returns the error that the peer signed for this message, or undefined if the response proves nothing
   */
  verifyError(
    clientIdHeader: string,
    keys: SessionKeys,
    relayHeader: string,
    httpStatus: number,
  ): SignedError | undefined {
    const { secretKeys } = this.signer;
    return verifyError(secretKeys, clientIdHeader, relayHeader, httpStatus, deriveProof(keys));
  }
}

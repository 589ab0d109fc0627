import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';

/** The keys of all secrets that this relay accepts. */
export abstract class AcceptedKeys {
  /** The keys that `kid` names, or undefined if this relay does not hold their secret. */
  abstract find(kid: string): SecretKeys | undefined;
}

/**
 * The keys of the secrets that this relay shares with one peer: it signs with those of one secret, and accepts those of every
 * secret. protocol.md section 1.
 */
export class KeyRing extends AcceptedKeys {
  private constructor(
    /** The keys of CLIENT_ID_SECRET, with which the outbound role signs and pairs. */
    readonly current: SecretKeys,
    private readonly accepted: ReadonlyMap<string, SecretKeys>,
  ) {
    super();
  }

  /**
   * Derives the keys of one or two secrets. Each takes about 130 ms on the thread pool; call it once, at start.
   *
   * @param secret - CLIENT_ID_SECRET
   * @param alternative - CLIENT_ID_SECRET_ALT, accepted while secrets are rotated; may equal `secret`
   */
  static async derive(secret: string, alternative?: string): Promise<KeyRing> {
    const secrets = alternative === undefined ? [secret] : [secret, alternative];
    const keys = await Promise.all(secrets.map(deriveSecretKeys));
    const [current] = keys as [SecretKeys, ...SecretKeys[]];
    // Inserted in reverse order: if both secrets are equal, the current keys overwrite the alternative ones.
    return new KeyRing(current, new Map(keys.reverse().map((entry) => [entry.kid, entry])));
  }

  find(kid: string): SecretKeys | undefined {
    return this.accepted.get(kid);
  }

  /** The keys of every secret. */
  get all(): readonly SecretKeys[] {
    return [...this.accepted.values()];
  }
}

import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';

/** The secrets that this relay knows: one that it signs with, and all that it accepts. protocol.md section 1. */
export class KeyRing {
  private constructor(
    /** The keys of CLIENT_ID_SECRET: what the outbound role signs and pairs with. */
    readonly current: SecretKeys,
    private readonly accepted: ReadonlyMap<string, SecretKeys>,
  ) {}

  /** Derives both secrets' keys; takes about 130 ms a secret. */
  static async derive(secret: string, alternative?: string): Promise<KeyRing> {
    const secrets = alternative === undefined ? [secret] : [secret, alternative];
    const keys = await Promise.all(secrets.map(deriveSecretKeys));
    const [current] = keys as [SecretKeys, ...SecretKeys[]];
    // Written in reverse, so that the current secret wins where both are the same.
    return new KeyRing(current, new Map(keys.reverse().map((entry) => [entry.kid, entry])));
  }

  /** The keys that `kid` names, or undefined where this relay does not hold that secret. */
  find(kid: string): SecretKeys | undefined {
    return this.accepted.get(kid);
  }
}

/** Decides who may have a session, and for which audience; it may change at any time. */
export abstract class Audiences {
  /**
   * Whether a peer may use this relay under an audience.
   *
   * @param audience - name of the audience: its `audienceHash` in lower-case hexadecimal
   * @param kid - of the secret that the peer signs with
   */
  abstract accepts(audience: string, kid: string): boolean;

  /**
   * Whether an audience is this relay's own, or has been since it started, whoever may use it. If so, what is for it is for no
   * other relay.
   */
  abstract isOwn(audience: string): boolean;
}

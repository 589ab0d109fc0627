import { hash, timingSafeEqual } from 'node:crypto';

import type { ClientEntry, ClientToken, Grant } from '@relay/config';

type TokenGrant = Grant & { readonly token: ClientToken };

/** The tokens of all clients, as digests. */
export class KnownTokens {
  private readonly known: readonly (TokenGrant & { readonly digest: Buffer })[];

  constructor(clients: readonly ClientEntry[]) {
    this.known = clients.flatMap((client) =>
      client.tokens.map((token) => ({ client, token, digest: Buffer.from(token.sha256, 'hex') })),
    );
  }

  /**
   * Finds who holds a token. Digests are compared, and all of them, so that timing reveals neither the length of a token, nor its
   * content, nor which one it is.
   *
   * @param nowMs - the wall clock's time, which decides on expiry
   */
  find(token: string, nowMs: number): Grant | undefined {
    const digest = hash('sha256', token, 'buffer');
    let found: TokenGrant | undefined;
    for (const known of this.known) {
      if (timingSafeEqual(known.digest, digest)) {
        found = known;
      }
    }
    return found !== undefined && isValid(found.token, nowMs) ? found : undefined;
  }

  /** The client as it is now, if it still has the token of an earlier grant, and it has not expired. */
  clientOf({ client, token }: Grant, nowMs: number): ClientEntry | undefined {
    const grant = this.known.find(
      (known) => known.client.name === client.name && known.token.sha256 === token?.sha256,
    );
    return grant !== undefined && isValid(grant.token, nowMs) ? grant.client : undefined;
  }
}

function isValid({ expiresAtMs }: ClientToken, nowMs: number): boolean {
  return expiresAtMs === undefined || nowMs < expiresAtMs;
}

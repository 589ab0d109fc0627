import { hash, timingSafeEqual } from 'node:crypto';

/** RFC 7617: the scheme, in any case, and base64. */
const BASIC = /^basic +([A-Za-z0-9+/]+=*) *$/i;

/** The password of the admin listener. */
export class AdminToken {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = digestOf(token);
  }

  /**
   * Whether a request shows the token, with any user name. Digests are compared, so that timing reveals neither its length nor its
   * content.
   *
   * @param authorization - the field of that name
   */
  isIn(authorization: string | undefined): boolean {
    const [, credentials = ''] = BASIC.exec(authorization ?? '') ?? [];
    const text = Buffer.from(credentials, 'base64').toString();
    const colon = text.indexOf(':');
    return timingSafeEqual(this.digest, digestOf(text.slice(colon + 1))) && colon >= 0;
  }
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

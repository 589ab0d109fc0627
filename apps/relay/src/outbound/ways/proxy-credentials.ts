/** What a client of the forward proxy has sent. */
export interface ProxyCredentials {
  /** Undefined if the token is there alone. */
  readonly user: string | undefined;
  readonly token: string;
}

/** RFC 7617 section 2. */
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Reads `Basic` credentials: a name and a token, or the token alone, in place of either.
 *
 * @param value - of `proxy-authorization`
 * @returns undefined if the credentials are others
 */
export function readProxyCredentials(value: string): ProxyCredentials | undefined {
  const [, encoded = ''] = BASIC.exec(value.trim()) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  if (colon === -1) {
    return undefined;
  }
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  return user === '' || password === ''
    ? { user: undefined, token: user + password }
    : { user, token: password };
}

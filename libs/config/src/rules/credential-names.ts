/** Words of a field's name that say that its value is a credential. docs/configuration.md lists them. */
const CREDENTIAL_WORDS = new Set([
  ...['auth', 'authorization', 'bearer', 'cookie', 'cookie2', 'credential', 'credentials'],
  ...['jwt', 'key', 'passwd', 'password', 'secret', 'token'],
]);
/** The same words, written together with the one before: `apikey`, `x-authtoken`. */
const CREDENTIAL_ENDING = /(?:(?:access|api|auth)key|cookie|password|secret|token)$/;
/** Fields between a client and a proxy that asks it for credentials. RFC 9110 section 11.7. */
const PROXY_PREFIX = /^proxy[^a-z0-9]/;

/**
 * Whether a field of this name usually carries a credential. That errs on the side of yes: the price of a mistake is that the
 * operator says in which direction the field goes.
 *
 * @param name - in lower case
 */
export function isCredentialName(name: string): boolean {
  return (
    PROXY_PREFIX.test(name) ||
    name
      .split(/[^a-z0-9]+/)
      .some((word) => CREDENTIAL_WORDS.has(word) || CREDENTIAL_ENDING.test(word))
  );
}

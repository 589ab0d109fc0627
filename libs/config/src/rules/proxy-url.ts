import { Refused } from './rule.js';

const URL_PARTS = /^https?:\/\/(?:(?<account>[^@/?#\s\\]*)@)?(?<host>[^@/?#\s\\]+)\/?$/i;

/**
 * Reads the URL of an HTTP proxy, with its user name and password if it requires them, and returns it in its normal form.
 * No problem quotes it.
 */
export function proxyUrl(text: string): string | Refused {
  const { account, host } = URL_PARTS.exec(text)?.groups ?? {};
  if (host === undefined || host.includes('*') || !URL.canParse(text)) {
    return new Refused(
      'must be an http or https URL with a host and nothing behind its port, as in http://user:password@proxy.example:3128',
    );
  }
  if (account !== undefined && !isAccount(account)) {
    return new Refused('must have a user name, and it and the password percent-encoded');
  }
  return new URL(text).href.replace(/\/$/, '');
}

/** RFC 7617: the first colon ends the user name, and neither part contains a control character. */
function isAccount(text: string): boolean {
  const [name = '', ...password] = text.split(':');
  try {
    const userId = decodeURIComponent(name);
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    const isPrintable = !/[\x00-\x1f\x7f]/.test(userId + decodeURIComponent(password.join(':')));
    return userId !== '' && !userId.includes(':') && isPrintable;
  } catch {
    // The message of the error might quote the password.
    return false;
  }
}

import { type RawFields, withoutFields } from '@relay/fields';

import { ConnectionAuthUnsupportedError } from './http.errors.js';

const CHALLENGE_FIELD = 'www-authenticate';
const UNAUTHORIZED = 401;

const WHY =
  'authenticate a connection, and a relay shares its connections among clients; use Basic or Bearer';

/**
 * The schemes that authenticate a connection instead of a request: whoever sends the next request on that connection has the
 * identity of the sender before. Relays share their upstream connections among all clients. Anything that merely begins with
 * such a name is taken for it (`Nego2`, `NTLMSSP`), because servers differ in how much of the name they compare.
 */
const CONNECTION_SCHEME = /^(?:ntlm|nego|kerberos)/i;

/** As CONNECTION_SCHEME, in each element of a list, whatever blanks, controls or other octets a server might skip. */
const CONNECTION_CREDENTIALS = /(?:^|,)[^!-~]*(?:ntlm|nego|kerberos)/i;

/** The beginning of a challenge in a list: a scheme alone or before a space. A parameter has an equals sign there. */
const CHALLENGE = /^[ \t]*([!#$%&'*+.^`|~\w-]+)(?:[ \t]*$|[ \t]+(?![ \t=]))/;

/** Elements of a list. A comma in a quoted string separates nothing, and a string without an end takes the rest. */
const LIST_ELEMENT = /(?:"(?:[^"\\]|\\.)*"|[^,"]|"[^]*)+/g;

/**
 * Why a request must not be forwarded: its credentials would authenticate the connection that carries it.
 *
 * @param fields - names in lower case
 * @returns an error with the verdict `no`, or undefined if the request may be forwarded
 */
export function connectionAuthRefusal(
  fields: RawFields,
): ConnectionAuthUnsupportedError | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === 'authorization' && CONNECTION_CREDENTIALS.test(fields[at + 1] ?? '')) {
      return new ConnectionAuthUnsupportedError(
        'no',
        `the credentials of the request (NTLM, Negotiate or Kerberos) ${WHY}`,
      );
    }
  }
  return undefined;
}

/**
 * Removes the challenges that would make a client authenticate its connection. If others remain, the client can meet those.
 *
 * @param fields - of a response, names in lower case
 * @returns `fields` itself if there are no such challenges
 * @throws ConnectionAuthUnsupportedError with the verdict `maybe` if the status is 401 and no challenge remains
 */
export function withoutConnectionChallenges(status: number, fields: string[]): string[] {
  const kept: string[] = [];
  let hasRemoved = false;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === CHALLENGE_FIELD) {
      const value = fields[at + 1] ?? '';
      const rest = requestChallengesOf(value);
      hasRemoved ||= rest !== value;
      if (rest !== '') {
        kept.push(CHALLENGE_FIELD, rest);
      }
    }
  }
  if (!hasRemoved) {
    return fields;
  }
  if (status === UNAUTHORIZED && kept.length === 0) {
    throw new ConnectionAuthUnsupportedError(
      'maybe',
      `the only schemes that the upstream offers (NTLM, Negotiate or Kerberos) ${WHY}`,
    );
  }
  return [...withoutFields(fields, new Set([CHALLENGE_FIELD])), ...kept];
}

/** The challenges of one field line that authenticate requests; the line itself if it has only such. */
function requestChallengesOf(value: string): string {
  const kept: string[] = [];
  let isDropping = false;
  let hasDropped = false;
  for (const [element] of value.matchAll(LIST_ELEMENT)) {
    const scheme = CHALLENGE.exec(element)?.[1];
    // An element without a scheme is a parameter of the challenge before it.
    isDropping = scheme === undefined ? isDropping : CONNECTION_SCHEME.test(scheme);
    hasDropped ||= isDropping;
    if (!isDropping && element.trim() !== '') {
      kept.push(element.trim());
    }
  }
  return hasDropped ? kept.join(', ') : value;
}

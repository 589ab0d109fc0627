import { headerRules, type HeaderField } from '../../rules/headers.js';
import { Refused } from '../../rules/rule.js';
import { nameInCertificate } from '../../rules/upstream-tls.js';
import { text } from './keys.js';

/** What a name of a peer or a client looks like: never like an origin. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The rules for `headers` and its variants, which name each other as the keys of a file. */
export const HEADER_RULES = headerRules({ request: 'requestHeaders', response: 'responseHeaders' });

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DIGEST = /^[0-9a-f]{64}$/i;

/** Reads the name of a peer or a client. */
export const name = text((given) =>
  NAME.test(given) ? given : new Refused('must be 1 to 64 letters, digits, "_" or "-"'),
);

/** Reads a path. */
export const path = text((given) =>
  given.trim() === '' || given.includes('\0') ? new Refused('must be a path') : given,
);

/** Reads the name of an environment variable. */
export const variable = text((given) =>
  VARIABLE.test(given) ? given : new Refused('must be the name of a variable'),
);

/** Reads the SHA-256 of a token. */
export const digest = text((given) =>
  DIGEST.test(given)
    ? given.toLowerCase()
    : new Refused('must be the SHA-256 of a token: 64 hexadecimal digits'),
);

/** Reads the name that a certificate must have. */
export const serverName = text(nameInCertificate);

/** Reads the name of the field in which an API is told the client's name. */
export const fieldName = text((given) => {
  const fields = HEADER_RULES.requestHeaders(JSON.stringify({ [given]: '' }));
  const isClientField = given.toLowerCase() === 'x-mte-client';
  return isClientField || !(fields instanceof Refused)
    ? given.toLowerCase()
    : new Refused('must be the name of a field that the relay may set');
});

/** Returns a reader of a mapping of field names to values, by one of the rules of variables. */
export const fields =
  (read: (text: string) => readonly HeaderField[] | Refused) =>
  (value: unknown): readonly HeaderField[] | Refused =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? read(JSON.stringify(value))
      : new Refused('must be a mapping of field names to text');

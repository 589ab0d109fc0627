import { describe, expect, it } from 'vitest';

import * as errors from './protocol.errors.js';
import { RelayError } from '@relay/errors';

/** Part of the operator contract: a change here must also be made in the documentation. */
const CODES = {
  HeadInvalidError: 'RELAY_HEAD_INVALID',
  MessageTooLongError: 'RELAY_MESSAGE_TOO_LONG',
  MessageTruncatedError: 'RELAY_MESSAGE_TRUNCATED',
  PairConfirmInvalidError: 'RELAY_PAIR_REFUSED',
  PairKeyInvalidError: 'RELAY_PAIR_KEY_INVALID',
  PairMessageMalformedError: 'RELAY_PAIR_MALFORMED',
  RecordMalformedError: 'RELAY_RECORD_MALFORMED',
  RecordOpenError: 'RELAY_RECORD_UNAUTHENTIC',
  RelayHeaderMalformedError: 'RELAY_HEADER_MALFORMED',
  SessionBlobInvalidError: 'RELAY_SESSION_BLOB_INVALID',
};

describe('the errors of the protocol', () => {
  it('each have a stable code', () => {
    const codes = Object.entries(errors).map(([name, Class]) => [name, new Class('').code]);
    expect(Object.fromEntries(codes)).toEqual(CODES);
  });

  it.each(Object.entries(errors))('%s carries its name, message and cause', (name, Class) => {
    const cause = new Error('why');
    const error = new Class('what', { cause });
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, message: 'what', cause });
    expect(new Class('what')).not.toHaveProperty('cause');
  });
});

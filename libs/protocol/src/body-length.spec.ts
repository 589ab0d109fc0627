import { describe, expect, it } from 'vitest';

import { BodyLength, bodyBytesOf } from './body-length.js';
import { MessageTruncatedError, RecordMalformedError } from './protocol.errors.js';

describe('the body that follows a head', () => {
  const head = (status: number, fields: string[] = ['content-length', '5']) => ({ status, fields });

  it('has the length that is stated, or one that only its end shows', () => {
    expect(bodyBytesOf(head(200), 'GET')).toBe(5);
    expect(bodyBytesOf(head(200, ['content-length', '0']), 'GET')).toBe(0);
    expect(bodyBytesOf(head(200, []), 'GET')).toBeUndefined();
    expect(bodyBytesOf(head(500, []), 'POST')).toBeUndefined();
  });

  it('is none for HEAD, 204 and 304, whatever length is stated', () => {
    expect(bodyBytesOf(head(200), 'HEAD')).toBe(0);
    expect(bodyBytesOf(head(204, []), 'GET')).toBe(0);
    expect(bodyBytesOf(head(304), 'GET')).toBe(0);
  });
});

describe('a body of stated length', () => {
  const taken = (missing: number | undefined, ...pieces: number[]): BodyLength => {
    const length = new BodyLength(missing);
    for (const bytes of pieces) {
      length.take(bytes);
    }
    return length;
  };

  it.each([[5, [5]] as const, [5, [2, 0, 3]] as const, [0, []] as const])(
    'may be of %i bytes in pieces of %j',
    (missing, pieces) => {
      expect(() => {
        taken(missing, ...pieces).end();
      }).not.toThrow();
    },
  );

  it('has reached it with the last of its bytes', () => {
    expect(taken(5, 4).isReached).toBe(false);
    expect(taken(5, 4, 1).isReached).toBe(true);
    expect(taken(0).isReached).toBe(true);
    expect(taken(undefined, 5).isReached).toBe(false);
  });

  it('may not be longer', () => {
    expect(() => taken(5, 2, 4)).toThrow(RecordMalformedError);
    expect(() => taken(0, 1)).toThrow(RecordMalformedError);
  });

  it('may not be shorter', () => {
    expect(() => {
      taken(5, 4).end();
    }).toThrow(MessageTruncatedError);
  });

  it('may have any length if none is stated', () => {
    expect(() => {
      taken(undefined, 1, 2).end();
    }).not.toThrow();
  });
});

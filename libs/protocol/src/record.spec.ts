import { describe, expect, it } from 'vitest';

import { MessageTooLongError } from './protocol.errors.js';
import {
  MAX_CONTENT_BYTES,
  MAX_RECORDS,
  MIN_SEALED_BYTES,
  maxSealedBytes,
  recordNonce,
} from './record.js';

describe('the nonce of a record', () => {
  it.each([
    [0, false, '000000000000000000000000'],
    [0, true, '000000000000000000000001'],
    [1, false, '000000000000000000000100'],
    [1, true, '000000000000000000000101'],
    [256, false, '000000000000000000010000'],
    [0x3f_fffe, true, '00000000000000003ffffe01'],
    [0x3f_ffff, false, '00000000000000003fffff00'],
  ])('for index %i and last = %s is %s', (index, isLast, nonce) => {
    expect(recordNonce(index, isLast).toString('hex')).toBe(nonce);
  });

  it('differs for every index and last flag', () => {
    const nonces = new Set<string>();
    for (let index = 0; index < 1_000; index += 1) {
      nonces.add(recordNonce(index, false).toString('hex'));
      nonces.add(recordNonce(index, true).toString('hex'));
    }
    expect(nonces.size).toBe(2_000);
  });

  it.each([2 ** 22, 2 ** 22 + 1, 2 ** 32 - 1])('does not exist for index %i', (index) => {
    expect(() => recordNonce(index, false)).toThrow(MessageTooLongError);
    expect(() => recordNonce(index, true)).toThrow(MessageTooLongError);
  });

  it('exists for 2^22 records', () => {
    expect(MAX_RECORDS).toBe(2 ** 22);
    expect(recordNonce(MAX_RECORDS - 1, true)).toHaveLength(12);
  });
});

it('a sealed record is 17–69,649 bytes long', () => {
  expect([MIN_SEALED_BYTES, maxSealedBytes(MAX_CONTENT_BYTES)]).toEqual([17, 69_649]);
});

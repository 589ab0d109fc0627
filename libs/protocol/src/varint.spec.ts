import { describe, expect, it } from 'vitest';

import { HeadInvalidError } from './protocol.errors.js';
import { VarintReader, varintBytes, writeVarint } from './varint.js';

const table: [number, string][] = [
  [0, '00'],
  [1, '01'],
  [63, '3f'],
  [64, '4040'],
  [201, '40c9'],
  [16_383, '7fff'],
  [16_384, '80004000'],
  [65_536, '80010000'],
  [494_878_333, '9d7f3e7d'],
  [2 ** 30 - 1, 'bfffffff'],
];

describe('an integer of RFC 9000 section 16', () => {
  it.each(table)('%i is encoded as %s, the shortest form', (value, hex) => {
    const target = Buffer.alloc(8);
    const end = writeVarint(target, value, 2);
    expect(end).toBe(2 + hex.length / 2);
    expect(varintBytes(value)).toBe(hex.length / 2);
    expect(target.toString('hex', 2, end)).toBe(hex);
    const reader = new VarintReader(Buffer.from(hex, 'hex'));
    expect(reader.readVarint()).toBe(value);
    expect(reader.isAtEnd).toBe(true);
  });

  it.each([
    [37, '4025'],
    [37, '80000025'],
    [37, 'c000000000000025'],
    [2 ** 30 - 1, 'c00000003fffffff'],
  ])('%i is also decoded from the longer form %s', (value, hex) => {
    expect(new VarintReader(Buffer.from(hex, 'hex')).readVarint()).toBe(value);
  });

  it.each(['', '40', '800000', 'c0000000000000'])('is rejected if truncated to "%s"', (hex) => {
    expect(() => new VarintReader(Buffer.from(hex, 'hex')).readVarint()).toThrow(HeadInvalidError);
  });

  it.each(['c000000040000000', 'c2197c5eff14e88c', 'ffffffffffffffff'])(
    'is rejected above 2^30 − 1, encoded as %s',
    (hex) => {
      const reader = new VarintReader(Buffer.from(hex, 'hex'));
      expect(() => reader.readVarint()).toThrow(HeadInvalidError);
    },
  );
});

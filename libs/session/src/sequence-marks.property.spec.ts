import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { SequenceMarks } from './sequence-marks.js';

const MAX_SEQUENCE = 2 ** 20 - 1;

/** Mostly close together, so that repeats and neighbours in one byte are common, but also anywhere in the range. */
const sequence = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 250, max: 520 }),
  fc.integer({ min: MAX_SEQUENCE - 16, max: MAX_SEQUENCE }),
  fc.integer({ min: 1, max: MAX_SEQUENCE }),
);

describe('the marks of one session', () => {
  it('behave like a set, in any order', () => {
    fc.assert(
      fc.property(fc.array(sequence, { maxLength: 200 }), (sequences) => {
        const marks = new SequenceMarks();
        const model = new Set<number>();
        for (const number of sequences) {
          expect(marks.add(number)).toBe(!model.has(number));
          model.add(number);
        }
      }),
      runs(),
    );
  });

  it('accept every sequence number of the format exactly once', () => {
    const marks = new SequenceMarks();
    let first = 0;
    let again = 0;
    for (let number = 1; number <= MAX_SEQUENCE; number += 1) {
      first += Number(marks.add(number));
    }
    for (let number = 1; number <= MAX_SEQUENCE; number += 1) {
      again += Number(marks.add(number));
    }
    expect({ first, again }).toEqual({ first: MAX_SEQUENCE, again: 0 });
  });

  it('are kept when a much larger number makes the array grow', () => {
    const marks = new SequenceMarks();
    const near = [1, 7, 8, 255, 256];
    near.forEach((number) => marks.add(number));
    expect(marks.add(MAX_SEQUENCE)).toBe(true);
    expect(near.map((number) => marks.add(number))).toEqual(near.map(() => false));
    expect(marks.add(2)).toBe(true);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';

import { HandMovedClock } from '../../../test/support/hand-moved-clock.js';
import { Allowances } from './allowances.js';

const PER_MINUTE = 6;

let clock: HandMovedClock;
let allowances: Allowances;

beforeEach(() => {
  clock = new HandMovedClock();
  allowances = new Allowances(PER_MINUTE, clock);
});

/** How often in a row something can be taken. */
const takeAll = (key: string): number => {
  let taken = 0;
  while (allowances.take(key)) {
    taken += 1;
  }
  return taken;
};

describe('an allowance', () => {
  it('is a minute’s worth at once', () => {
    expect(takeAll('a')).toBe(PER_MINUTE);
  });

  it('refills steadily, never to more than a minute’s worth', () => {
    takeAll('a');
    clock.advance(9_999);
    expect(takeAll('a')).toBe(0);
    clock.advance(1);
    expect(takeAll('a')).toBe(1);
    clock.advance(3_600_000);
    expect(takeAll('a')).toBe(PER_MINUTE);
  });

  it('is each key’s own', () => {
    takeAll('a');
    expect(takeAll('b')).toBe(PER_MINUTE);
  });

  it('grows by what is given back, never to more than a minute’s worth', () => {
    allowances.giveBack('a');
    allowances.take('a');
    allowances.giveBack('a');
    allowances.giveBack('a');
    expect(takeAll('a')).toBe(PER_MINUTE);
    allowances.giveBack('a');
    expect(takeAll('a')).toBe(1);
  });

  it('is remembered for the 10,000 keys that were used last', () => {
    takeAll('a');
    takeAll('b');
    for (let key = 0; key < 9_999; key += 1) {
      allowances.take(String(key));
    }
    expect(takeAll('b')).toBe(0);
    expect(takeAll('a')).toBe(PER_MINUTE);
  });
});

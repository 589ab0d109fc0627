import { describe, expect, it } from 'vitest';

import { MessageTooLargeError, RelayBusyError } from './http.errors.js';
import { HoldBudget, MessageHold } from './message-hold.js';

const MIB = 1024 * 1024;
/** Held many times, allocated once. */
const mebibyte = Buffer.alloc(MIB, 7);

/** A message of ten chunks: as large as a message may be. */
function fullHold(budget: HoldBudget): MessageHold {
  const hold = new MessageHold(budget);
  for (let count = 0; count < 10; count += 1) {
    hold.add(mebibyte);
  }
  return hold;
}

describe('a message that is held back', () => {
  it('is given out whole, in order', () => {
    const hold = new MessageHold(new HoldBudget());
    ['one ', 'two ', '', 'three'].forEach((text) => {
      hold.add(Buffer.from(text));
    });
    expect(hold.whole().toString()).toBe('one two three');
  });

  it('may be empty', () => {
    expect(new MessageHold(new HoldBudget()).whole()).toHaveLength(0);
  });

  it('may have 10 MiB and not a byte more', () => {
    const hold = fullHold(new HoldBudget());
    hold.add(Buffer.alloc(0));
    expect(() => {
      hold.add(Buffer.alloc(1));
    }).toThrow(MessageTooLargeError);
    expect(hold.whole()).toHaveLength(10 * MIB);
  });
});

describe('the budget of all messages that are held back', () => {
  it('is 256 MiB, to the byte', () => {
    const budget = new HoldBudget();
    budget.take(256 * MIB - 1);
    budget.take(1);
    expect(() => {
      budget.take(1);
    }).toThrow(RelayBusyError);
  });

  it('is taken by many messages together', () => {
    const budget = new HoldBudget();
    Array.from({ length: 25 }, () => fullHold(budget));
    const last = new MessageHold(budget);
    for (let count = 0; count < 6; count += 1) {
      last.add(mebibyte);
    }
    expect(() => {
      last.add(Buffer.alloc(1));
    }).toThrow(RelayBusyError);
  });

  it('comes back when a message is released, also one that ran into a limit', () => {
    const budget = new HoldBudget();
    const holds = Array.from({ length: 25 }, () => fullHold(budget));
    expect(() => {
      holds[0]?.add(mebibyte);
    }).toThrow(MessageTooLargeError);
    const last = new MessageHold(budget);
    last.add(mebibyte.subarray(0, 10));
    expect(() => fullHold(budget)).toThrow(RelayBusyError);
    [...holds, last].forEach((hold) => {
      hold.release();
    });
  });

  it('is whole again after everything was released, and releasing twice gives nothing', () => {
    const budget = new HoldBudget();
    const hold = fullHold(budget);
    hold.release();
    hold.release();
    budget.take(256 * MIB);
    expect(() => {
      budget.take(1);
    }).toThrow(RelayBusyError);
    expect(hold.whole()).toHaveLength(0);
  });

  it('is not touched by what it refuses', () => {
    const budget = new HoldBudget();
    budget.take(255 * MIB);
    expect(() => {
      budget.take(2 * MIB);
    }).toThrow(RelayBusyError);
    budget.take(MIB);
  });
});

import { describe, expect, it } from 'vitest';

import { MessageTooLargeError, RelayBusyError } from './admission.errors.js';
import { BufferBudget } from './buffer-budget.js';
import { MessageBuffer } from './message-buffer.js';

const MIB = 1024 * 1024;
/** Buffered many times, allocated once. */
const mebibyte = Buffer.alloc(MIB, 7);

/** A message of ten chunks: as large as a message may be. */
function fullBuffer(budget: BufferBudget): MessageBuffer {
  const buffer = new MessageBuffer(budget);
  for (let count = 0; count < 10; count += 1) {
    buffer.add(mebibyte);
  }
  return buffer;
}

describe('a buffered message', () => {
  it('is released whole, in order', () => {
    const buffer = new MessageBuffer(new BufferBudget());
    ['one ', 'two ', '', 'three'].forEach((text) => {
      buffer.add(Buffer.from(text));
    });
    expect(buffer.whole().toString()).toBe('one two three');
  });

  it('may be empty', () => {
    expect(new MessageBuffer(new BufferBudget()).whole()).toHaveLength(0);
  });

  it('may have 10 MiB and not one byte more', () => {
    const buffer = fullBuffer(new BufferBudget());
    buffer.add(Buffer.alloc(0));
    expect(() => {
      buffer.add(Buffer.alloc(1));
    }).toThrow(MessageTooLargeError);
    expect(buffer.whole()).toHaveLength(10 * MIB);
  });
});

describe('the budget of all buffered messages', () => {
  it('is 256 MiB, to the byte', () => {
    const budget = new BufferBudget();
    budget.take(256 * MIB - 1);
    budget.take(1);
    expect(() => {
      budget.take(1);
    }).toThrow(RelayBusyError);
  });

  it('is shared by all messages', () => {
    const budget = new BufferBudget();
    Array.from({ length: 25 }, () => fullBuffer(budget));
    const last = new MessageBuffer(budget);
    for (let count = 0; count < 6; count += 1) {
      last.add(mebibyte);
    }
    expect(() => {
      last.add(Buffer.alloc(1));
    }).toThrow(RelayBusyError);
  });

  it('is returned when a message is released, even if the message reached a limit', () => {
    const budget = new BufferBudget();
    const buffers = Array.from({ length: 25 }, () => fullBuffer(budget));
    expect(() => {
      buffers[0]?.add(mebibyte);
    }).toThrow(MessageTooLargeError);
    const last = new MessageBuffer(budget);
    last.add(mebibyte.subarray(0, 10));
    expect(() => fullBuffer(budget)).toThrow(RelayBusyError);
    [...buffers, last].forEach((buffer) => {
      buffer.release();
    });
  });

  it('is free again after everything is released, and a second release has no effect', () => {
    const budget = new BufferBudget();
    const buffer = fullBuffer(budget);
    buffer.release();
    buffer.release();
    budget.take(256 * MIB);
    expect(() => {
      budget.take(1);
    }).toThrow(RelayBusyError);
    expect(buffer.whole()).toHaveLength(0);
  });

  it('is unchanged by what it refuses', () => {
    const budget = new BufferBudget();
    budget.take(255 * MIB);
    expect(() => {
      budget.take(2 * MIB);
    }).toThrow(RelayBusyError);
    budget.take(MIB);
  });
});

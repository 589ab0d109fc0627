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

const contentOf = (buffer: MessageBuffer): Buffer => Buffer.concat(buffer.takeParts());

describe('a buffered message', () => {
  it('is released whole, in order', () => {
    const buffer = new MessageBuffer(new BufferBudget());
    ['one ', 'two ', '', 'three'].forEach((text) => {
      buffer.add(Buffer.from(text));
    });
    expect(contentOf(buffer).toString()).toBe('one two three');
  });

  it('is the same whatever the chunks are that it arrives in', () => {
    const whole = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
    for (const size of [1, 3, 1_023, 1_024, 1_025, 65_535, 65_536, 199_999]) {
      const buffer = new MessageBuffer(new BufferBudget());
      for (let at = 0; at < whole.length; at += size) {
        buffer.add(whole.subarray(at, at + size));
      }
      expect(contentOf(buffer).equals(whole), `in chunks of ${size} bytes`).toBe(true);
    }
  });

  it('shares no memory with the chunks that it arrived in', () => {
    const chunk = Buffer.from('as it was');
    const buffer = new MessageBuffer(new BufferBudget());
    buffer.add(chunk);
    chunk.fill('x');
    expect(contentOf(buffer).toString()).toBe('as it was');
  });

  it('is handed over once, while its part of the budget remains taken until it is released', () => {
    const budget = new BufferBudget();
    const buffer = fullBuffer(budget);
    buffer.takeParts();
    expect(buffer.takeParts()).toEqual([]);
    expect(budget.bufferedBytes).toBe(10 * MIB);
    buffer.release();
    expect(budget.bufferedBytes).toBe(0);
  });

  it('may be empty', () => {
    expect(new MessageBuffer(new BufferBudget()).takeParts()).toEqual([]);
  });

  it('may have 10 MiB and not one byte more', () => {
    const buffer = fullBuffer(new BufferBudget());
    buffer.add(Buffer.alloc(0));
    expect(() => {
      buffer.add(Buffer.alloc(1));
    }).toThrow(MessageTooLargeError);
    expect(contentOf(buffer)).toHaveLength(10 * MIB);
  });
});

describe('the budget of all buffered messages', () => {
  it.each([1, 1_000, 10_000, 65_537, 3 * MIB + 1])(
    'is taken for what a message of %i bytes really takes, which is at most twice as much',
    (bytes) => {
      const budget = new BufferBudget();
      const buffer = new MessageBuffer(budget);
      for (let added = 0; added < bytes; added += 100) {
        // A chunk that is a part of something larger, as the content of a padded record is.
        buffer.add(Buffer.alloc(4_196, 7).subarray(0, Math.min(100, bytes - added)));
      }
      const { bufferedBytes } = budget;
      const backing = buffer.takeParts().map((part) => part.buffer.byteLength);
      expect(bufferedBytes).toBe(backing.reduce((sum, size) => sum + size, 0));
      expect(bufferedBytes).toBeLessThanOrEqual(Math.max(1_024, 2 * bytes));
    },
  );

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
    expect(buffer.takeParts()).toEqual([]);
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

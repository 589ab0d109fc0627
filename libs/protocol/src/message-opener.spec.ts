import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';

import {
  DATA,
  HEAD,
  byteByByte,
  receive,
  recordHeader,
  recordPlaintext,
  sealMessage,
  sealRecord,
} from '../../../test/support/protocol/records.js';
import { MessageOpener } from './message-opener.js';
import { RecordMalformedError, RecordOpenError } from './protocol.errors.js';
import { MAX_RECORDS } from './record.js';

const key = randomBytes(32);
const empty = Buffer.alloc(0);
const complete = { isComplete: true, error: undefined };
const malformed = { isComplete: false, error: { code: 'RELAY_RECORD_MALFORMED' } };

function open(...chunks: Buffer[]): ReturnType<typeof receive> {
  return receive(new MessageOpener(key), chunks);
}

describe('the length of a record', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const lengths = [0, 1, 15, 16, 69_650, 69_651, 0x10000000, 0x7fff_ffff];

  it.each(lengths)('of %i bytes is rejected from its header alone', (sealedBytes) => {
    for (const isLast of [false, true]) {
      const header = recordHeader(sealedBytes, isLast);
      expect(open(header)).toMatchObject({ contents: [], ...malformed });
      expect(open(...byteByByte(header))).toMatchObject({ contents: [], ...malformed });
      expect(open(Buffer.concat([header, randomBytes(64)]))).toMatchObject(malformed);
    }
  });

  it.each(lengths)('of %i bytes is rejected before memory is allocated for it', (sealedBytes) => {
    const header = recordHeader(sealedBytes);
    for (const chunks of [[header], byteByByte(header)]) {
      const opener = new MessageOpener(key);
      const allocations = [
        vi.spyOn(Buffer, 'allocUnsafe'),
        vi.spyOn(Buffer, 'alloc'),
        vi.spyOn(Buffer, 'allocUnsafeSlow'),
      ];
      expect(receive(opener, chunks).error).toBeInstanceOf(RecordMalformedError);
      for (const allocation of allocations) {
        expect(allocation).not.toHaveBeenCalled();
      }
      vi.restoreAllMocks();
    }
  });

  it('is rejected in the same way after a valid record', () => {
    const head = sealRecord(key, 0, recordPlaintext(empty, HEAD), false);
    expect(open(head, recordHeader(16))).toMatchObject({ contents: [empty], ...malformed });
    expect(open(head, ...byteByByte(recordHeader(69_650)))).toMatchObject({
      contents: [empty],
      ...malformed,
    });
  });

  it('may be 17 bytes, for an empty last record', () => {
    const wire = sealRecord(key, 0, recordPlaintext(empty, HEAD), true);
    expect(wire.subarray(0, 4)).toEqual(recordHeader(17, true));
    expect(open(wire)).toEqual({ contents: [empty], ...complete });
  });

  it('may be 69,649 bytes, for a full record with maximum padding', () => {
    const content = randomBytes(65_536);
    const wire = sealRecord(key, 0, recordPlaintext(content, HEAD, 4_096), true);
    expect(wire.subarray(0, 4)).toEqual(recordHeader(69_649, true));
    for (const chunks of [[wire], byteByByte(wire)]) {
      const { contents, ...outcome } = open(...chunks);
      expect(outcome).toEqual(complete);
      expect(contents).toHaveLength(1);
      expect(contents[0]!.equals(content)).toBe(true);
    }
  });
});

describe('the padding of a record', () => {
  const content = Buffer.from('content');

  it.each([0, 1, 255, 256, 4_095, 4_096])('may be %i bytes', (padding) => {
    const head = sealRecord(key, 0, recordPlaintext(content, HEAD, padding), false);
    const data = sealRecord(key, 1, recordPlaintext(content, DATA, padding), true);
    expect(open(head, data)).toEqual({ contents: [content, content], ...complete });
  });

  it.each([4_097, 8_192, 65_536])('of %i bytes is rejected', (padding) => {
    expect(open(sealRecord(key, 0, recordPlaintext(empty, HEAD, padding), true))).toMatchObject({
      contents: [],
      ...malformed,
    });
    expect(open(sealMessage(key, recordPlaintext(empty, DATA, padding)))).toMatchObject(malformed);
  });

  it('is distinguished from content that ends with zeros', () => {
    const zeros = Buffer.alloc(5_000);
    expect(open(sealMessage(key, recordPlaintext(zeros, DATA, 10))).contents[1]).toEqual(zeros);
  });

  it('does not leave room for more than 65,536 bytes of content', () => {
    for (const bytes of [65_537, 69_632]) {
      const long = Buffer.alloc(bytes, 1);
      expect(open(sealRecord(key, 0, recordPlaintext(long, HEAD), true))).toMatchObject(malformed);
      expect(open(sealMessage(key, recordPlaintext(long, DATA)))).toMatchObject(malformed);
    }
  });
});

describe('the type of a record', () => {
  const text = Buffer.from('text');

  it('is head in the first record and data in all others', () => {
    const wire = sealMessage(key, recordPlaintext(text, DATA), recordPlaintext(text, DATA));
    expect(open(wire)).toEqual({ contents: [empty, text, text], ...complete });
  });

  it.each([0, DATA, 3, 0x80, 0xff])('%i is rejected in the first record', (type) => {
    for (const isLast of [false, true]) {
      const wire = sealRecord(key, 0, recordPlaintext(text, type), isLast);
      expect(open(wire)).toMatchObject({ contents: [], ...malformed });
    }
  });

  it.each([0, HEAD, 3, 0x80, 0xff])('%i is rejected in any other record', (type) => {
    const data = recordPlaintext(text, DATA);
    const wrong = recordPlaintext(text, type);
    for (const wire of [sealMessage(key, wrong), sealMessage(key, data, wrong, data)]) {
      expect(open(wire)).toMatchObject(malformed);
    }
  });

  it.each([1, 2, 256, 4_096, 4_097])(
    'is missing in a plaintext of %i zeros, which is rejected',
    (bytes) => {
      const zeros = Buffer.alloc(bytes);
      expect(open(sealRecord(key, 0, zeros, true))).toMatchObject({ contents: [], ...malformed });
      expect(open(sealMessage(key, zeros))).toMatchObject(malformed);
    },
  );
});

describe('an empty data record', () => {
  it('ends a message, padded or not', () => {
    for (const padding of [0, 200]) {
      const wire = sealMessage(key, recordPlaintext(empty, DATA, padding));
      expect(open(wire)).toEqual({ contents: [empty, empty], ...complete });
    }
  });

  it('is rejected before the end of a message, padded or not', () => {
    for (const padding of [0, 200]) {
      const data = recordPlaintext(Buffer.from('data'), DATA);
      const wire = sealMessage(key, recordPlaintext(empty, DATA, padding), data);
      expect(open(wire)).toMatchObject(malformed);
    }
  });
});

describe('an opener', () => {
  const head = sealRecord(key, 0, recordPlaintext(empty, HEAD), false);
  const data = sealRecord(key, 1, recordPlaintext(Buffer.from('data'), DATA), false);
  const last = sealRecord(key, 2, recordPlaintext(Buffer.from('last'), DATA), true);

  const errorOf = (run: () => unknown): unknown => {
    try {
      run();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.each([
    ['fails authentication', sealRecord(randomBytes(32), 1, Buffer.of(1, DATA), false)],
    ['has a forbidden length', recordHeader(16)],
    ['has the wrong type', sealRecord(key, 1, Buffer.of(1, HEAD), false)],
  ])('stays failed after a record that %s', (_name, bad) => {
    const opener = new MessageOpener(key);
    opener.push(head);
    const failure = errorOf(() => opener.push(bad));
    expect(failure).toBeInstanceOf(Error);
    expect(errorOf(() => opener.push(data))).toBe(failure);
    expect(errorOf(() => opener.push(last))).toBe(failure);
    expect(errorOf(() => opener.push(empty))).toBe(failure);
    expect(
      errorOf(() => {
        opener.finish();
      }),
    ).toBe(failure);
    expect(opener.isComplete).toBe(false);
  });

  it('stays failed after bytes that follow the last record', () => {
    const opener = new MessageOpener(key);
    opener.push(Buffer.concat([head, data, last]));
    const failure = errorOf(() => opener.push(Buffer.of(0)));
    expect(failure).toBeInstanceOf(RecordMalformedError);
    expect(
      errorOf(() => {
        opener.finish();
      }),
    ).toBe(failure);
  });

  it('stays failed after a message that was truncated', () => {
    const opener = new MessageOpener(key);
    opener.push(Buffer.concat([head, data]));
    const failure = errorOf(() => {
      opener.finish();
    });
    expect(failure).toMatchObject({ code: 'RELAY_MESSAGE_TRUNCATED' });
    expect(errorOf(() => opener.push(last))).toBe(failure);
    expect(opener.isComplete).toBe(false);
  });

  it('is complete after the last record, and not before', () => {
    const opener = new MessageOpener(key);
    for (const record of [head, data]) {
      opener.push(record);
      expect(opener.isComplete).toBe(false);
    }
    opener.push(last);
    expect(opener.isComplete).toBe(true);
    opener.finish();
    opener.finish();
    expect(opener.push(empty)).toEqual([]);
  });

  it('gives the cause if a record fails authentication', () => {
    const failure = errorOf(() => new MessageOpener(randomBytes(32)).push(head));
    expect(failure).toBeInstanceOf(RecordOpenError);
    expect((failure as RecordOpenError).cause).toBeInstanceOf(Error);
  });

  it('opens the last record that the index allows, and rejects any further one', () => {
    const plaintext = recordPlaintext(Buffer.of(7), DATA);
    const allowed = new MessageOpener(key);
    Object.assign(Reflect.get(allowed, 'records') as object, { index: MAX_RECORDS - 1 });
    expect(allowed.push(sealRecord(key, MAX_RECORDS - 1, plaintext, false))).toHaveLength(1);
    expect(receive(allowed, [sealRecord(key, MAX_RECORDS, plaintext, true)])).toMatchObject({
      contents: [],
      isComplete: false,
      error: { code: 'RELAY_MESSAGE_TOO_LONG' },
    });
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { DATA, HEAD, recordPlaintext, sealRecord } from '../../../test/support/protocol/records.js';
import { MessageSealer } from './message-sealer.js';
import { MessageTooLongError, RecordMalformedError } from './protocol.errors.js';
import { MAX_CONTENT_BYTES, MAX_RECORDS } from './record.js';

const key = randomBytes(32);
const head = Buffer.from('head');
const data = Buffer.from('data');
const empty = Buffer.alloc(0);

function sealerAfterHead(): MessageSealer {
  const sealer = new MessageSealer(key);
  sealer.sealHead(head, false);
  return sealer;
}

describe('a sealer', () => {
  it('seals the records of protocol.md section 6', () => {
    const sealer = new MessageSealer(key);
    const padding = 256 - head.length - 1;
    expect(sealer.sealHead(head, false)).toEqual(
      sealRecord(key, 0, recordPlaintext(head, HEAD, padding), false),
    );
    expect(sealer.sealData(data, false)).toEqual(
      sealRecord(key, 1, recordPlaintext(data, DATA), false),
    );
    expect(sealer.sealData(empty, true)).toEqual(
      sealRecord(key, 2, recordPlaintext(empty, DATA), true),
    );
  });

  it('seals a head without a body', () => {
    const padding = 256 - head.length - 1;
    expect(new MessageSealer(key).sealHead(head, true)).toEqual(
      sealRecord(key, 0, recordPlaintext(head, HEAD, padding), true),
    );
  });

  it('seals equal contents as different records', () => {
    const sealer = sealerAfterHead();
    expect(sealer.sealData(data, false)).not.toEqual(sealer.sealData(data, false));
  });

  it('leaves its input unchanged', () => {
    const input = Buffer.from(data);
    const sealed = sealerAfterHead().sealData(input, true);
    expect(input).toEqual(data);
    input.fill(0);
    expect(sealed).toEqual(sealRecord(key, 1, recordPlaintext(data, DATA), true));
  });

  it('rejects data before the head', () => {
    expect(() => new MessageSealer(key).sealData(data, false)).toThrow(RecordMalformedError);
  });

  it('rejects a second head', () => {
    expect(() => sealerAfterHead().sealHead(head, false)).toThrow(RecordMalformedError);
  });

  it('rejects an empty data record that is not the last', () => {
    expect(() => sealerAfterHead().sealData(empty, false)).toThrow(RecordMalformedError);
  });

  it('rejects any call after a head that was the last record', () => {
    const sealer = new MessageSealer(key);
    sealer.sealHead(head, true);
    expect(() => sealer.sealHead(head, true)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(data, false)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(empty, true)).toThrow(RecordMalformedError);
  });

  it('rejects any call after a data record that was the last', () => {
    const sealer = sealerAfterHead();
    sealer.sealData(data, true);
    expect(() => sealer.sealHead(head, false)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(data, false)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(data, true)).toThrow(RecordMalformedError);
  });

  it('rejects a head or data one byte over the limit', () => {
    const long = Buffer.alloc(MAX_CONTENT_BYTES + 1);
    expect(() => new MessageSealer(key).sealHead(long, false)).toThrow(RecordMalformedError);
    expect(() => sealerAfterHead().sealData(long, true)).toThrow(RecordMalformedError);
  });

  it('continues as before after a rejected call', () => {
    const sealer = new MessageSealer(key);
    const long = Buffer.alloc(MAX_CONTENT_BYTES + 1);
    expect(() => sealer.sealData(data, true)).toThrow(RecordMalformedError);
    expect(() => sealer.sealHead(long, true)).toThrow(RecordMalformedError);
    sealer.sealHead(head, false);
    expect(() => sealer.sealHead(head, true)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(empty, false)).toThrow(RecordMalformedError);
    expect(() => sealer.sealData(long, true)).toThrow(RecordMalformedError);
    expect(sealer.sealData(data, true)).toEqual(
      sealRecord(key, 1, recordPlaintext(data, DATA), true),
    );
  });

  it('seals the last record that the index allows, and rejects any further one', () => {
    const sealer = sealerAfterHead();
    Object.assign(Reflect.get(sealer, 'records') as object, { index: MAX_RECORDS - 1 });
    expect(sealer.sealData(data, false)).toEqual(
      sealRecord(key, MAX_RECORDS - 1, recordPlaintext(data, DATA), false),
    );
    expect(() => sealer.sealData(data, false)).toThrow(MessageTooLongError);
    expect(() => sealer.sealData(empty, true)).toThrow(MessageTooLongError);
  });
});

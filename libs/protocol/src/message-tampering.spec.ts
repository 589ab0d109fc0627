import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import {
  flipBit,
  permutations,
  properSubsets,
} from '../../../test/support/attackers/corruption.js';
import { byteByByte, receive, type Received } from '../../../test/support/protocol/records.js';
import { MessageOpener } from './message-opener.js';
import { MessageSealer } from './message-sealer.js';
import { deriveRequestKey, deriveResponseKey } from './session-keys.js';
import {
  formatResponseHeader,
  formatTunnelHeader,
  type TunnelHeaderFields,
} from './tunnel-header.js';
import { RelayError } from '@relay/errors';

const session = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
const sid = randomBytes(16).toString('base64url');
const salt = randomBytes(16);
const fields = { sid, sequence: 2, ageSeconds: 3, type: 'mke' } as const;
const header = formatTunnelHeader(fields, salt);

/** The key of the same request under a header that differs from `header` in these fields. */
const keyWith = (changed: Partial<TunnelHeaderFields>, otherSalt = salt): Buffer =>
  deriveRequestKey(session, formatTunnelHeader({ ...fields, ...changed }, otherSalt));

const key = deriveRequestKey(session, header);
const contents = ['head', 'first', 'second', 'third'].map((text) => Buffer.from(text));

function sealRecords(messageKey: Buffer): Buffer[] {
  const sealer = new MessageSealer(messageKey);
  return contents.map((content, at) =>
    at === 0 ? sealer.sealHead(content, false) : sealer.sealData(content, at === 3),
  );
}

const records = sealRecords(key);
const wire = Buffer.concat(records);

/** Only an unaltered beginning of the message was opened, and the message is not complete. */
function expectRejected(received: Received): void {
  expect(received.error).toBeInstanceOf(RelayError);
  expect(received.isComplete).toBe(false);
  expect(received.contents).toEqual(contents.slice(0, received.contents.length));
}

/** In one chunk, and record by record: only the latter shows which records opened before the altered one. */
function expectRecordsRejected(tampered: readonly Buffer[], opened?: number): void {
  expectRejected(receive(new MessageOpener(key), [Buffer.concat(tampered)]));
  const received = receive(new MessageOpener(key), tampered);
  expectRejected(received);
  if (opened !== undefined) {
    expect(received.contents).toHaveLength(opened);
  }
}

describe('an altered message', () => {
  it('is rejected with any single bit flipped, received in one chunk', () => {
    for (let bit = 0; bit < wire.length * 8; bit += 1) {
      const received = receive(new MessageOpener(key), [flipBit(wire, bit)]);
      expectRejected(received);
    }
  });

  it('is rejected with any single bit flipped, received record by record', () => {
    let from = 0;
    records.forEach((record, at) => {
      const rest = records.slice(at + 1);
      for (let bit = 0; bit < record.length * 8; bit += 1) {
        const tampered = [...records.slice(0, at), flipBit(record, bit), ...rest];
        expectRecordsRejected(tampered, at);
      }
      from += record.length;
    });
    expect(from).toBe(wire.length);
  });

  it('is rejected with one bit of any byte flipped, received byte by byte', () => {
    for (let at = 0; at < wire.length; at += 1) {
      expectRejected(receive(new MessageOpener(key), byteByByte(flipBit(wire, at * 8 + (at % 8)))));
    }
  });

  it('is rejected with its records in each of the 23 wrong orders', () => {
    const wrong = permutations(records).slice(1);
    expect(wrong).toHaveLength(23);
    for (const order of wrong) {
      const unmoved = order.findIndex((record, at) => record !== records[at]);
      expectRecordsRejected(order, unmoved);
    }
  });

  it('is rejected with any of its records missing', () => {
    const subsets = properSubsets(records);
    expect(subsets).toHaveLength(15);
    for (const subset of subsets) {
      expectRecordsRejected(subset);
    }
  });

  it.each([0, 1, 2, 3])('is rejected with record %i repeated at any place', (at) => {
    for (let place = 0; place <= records.length; place += 1) {
      const tampered = records.toSpliced(place, 0, records[at]!);
      const whole = receive(new MessageOpener(key), [Buffer.concat(tampered)]);
      expect(whole.error).toBeInstanceOf(RelayError);
      const received = receive(new MessageOpener(key), tampered);
      expect(received.error).toBeInstanceOf(RelayError);
      expect(received.contents).toEqual(contents.slice(0, received.contents.length));
    }
  });

  it.each([
    ['a zero byte', Buffer.alloc(1)],
    ['three bytes', randomBytes(3)],
    ['the header of a record', Buffer.from('80000011', 'hex')],
    ['its last record', records[3]!],
    ['the whole message', wire],
  ])('is rejected with %s appended', (_name, appended) => {
    const whole = receive(new MessageOpener(key), [Buffer.concat([wire, appended])]);
    expect(whole).toMatchObject({ contents: [], error: { code: 'RELAY_RECORD_MALFORMED' } });
    const apart = receive(new MessageOpener(key), [wire, appended]);
    expect(apart).toMatchObject({ contents, error: { code: 'RELAY_RECORD_MALFORMED' } });
  });

  it('is not complete once bytes have followed its last record', () => {
    for (const chunks of [[wire, Buffer.of(0)], [Buffer.concat([wire, Buffer.of(0)])]]) {
      expect(receive(new MessageOpener(key), chunks).isComplete).toBe(false);
    }
  });
});

describe('a record of another message', () => {
  const otherSession = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
  const otherSid = randomBytes(16).toString('base64url');
  const response = formatResponseHeader(salt);
  const keys: [string, Buffer][] = [
    ['sequence number', keyWith({ sequence: 3 })],
    ['replaced number', keyWith({ replaces: 1 })],
    ['age', keyWith({ ageSeconds: 4 })],
    ['type', keyWith({ type: 'mte' })],
    ['salt', keyWith({}, randomBytes(16))],
    ['session id', keyWith({ sid: otherSid })],
    ['version', deriveRequestKey(session, `2${header.slice(1)}`)],
    ['session', deriveRequestKey(otherSession, header)],
    ['direction', deriveResponseKey(session, header, response)],
  ];

  it.each(keys)('with another %s is rejected at its own place', (_name, otherKey) => {
    const others = sealRecords(otherKey);
    for (let at = 0; at < records.length; at += 1) {
      expectRecordsRejected(records.with(at, others[at]!), at);
      expectRecordsRejected([...records.slice(0, at), ...others.slice(at)], at);
    }
  });

  it('is rejected if it is inserted at any place', () => {
    const others = sealRecords(keyWith({ sequence: 3 }));
    for (const other of others) {
      for (let place = 0; place < records.length; place += 1) {
        expectRecordsRejected(records.toSpliced(place, 0, other), place);
      }
    }
  });
});

describe('the responses to one request', () => {
  it('have different keys if their salts differ', () => {
    const first = deriveResponseKey(session, header, formatResponseHeader(Buffer.alloc(16, 1)));
    const second = deriveResponseKey(session, header, formatResponseHeader(Buffer.alloc(16, 2)));
    expect(first).not.toEqual(second);
  });

  it('do not open as the response to another request', () => {
    const response = formatResponseHeader(salt);
    const sealed = sealRecords(deriveResponseKey(session, header, response));
    const other = deriveResponseKey(
      session,
      formatTunnelHeader({ ...fields, sequence: 3 }, randomBytes(16)),
      response,
    );
    expectRejected(receive(new MessageOpener(other), sealed));
  });

  it('do not open as requests, even if the keys of both directions are equal', () => {
    const same = { clientToServer: key, serverToClient: key };
    expect(deriveRequestKey(same, header)).not.toEqual(deriveResponseKey(same, header, ''));
    expect(deriveRequestKey(same, header)).not.toEqual(deriveResponseKey(same, header, header));
  });
});

it('two messages with the same sequence number and different salts have different keys', () => {
  expect(keyWith({}, randomBytes(16))).not.toEqual(key);
});

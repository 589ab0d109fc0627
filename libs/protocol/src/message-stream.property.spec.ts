import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { receive } from '../../../test/support/protocol/records.js';
import { MessageOpener } from './message-opener.js';
import { MessageSealer } from './message-sealer.js';
import { RelayError } from '@relay/errors';

const key = randomBytes(32);

const bytes = (min: number, max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

/** A head, a body of up to six records, and whether an empty record ends the message. */
const messages = fc.record({
  head: bytes(0, 600),
  body: fc.array(bytes(1, 400), { maxLength: 6 }),
  endsEmpty: fc.boolean(),
});

function seal({ head, body, endsEmpty }: { head: Buffer; body: Buffer[]; endsEmpty: boolean }): {
  contents: Buffer[];
  wire: Buffer;
} {
  const sealer = new MessageSealer(key);
  const data = endsEmpty ? [...body, Buffer.alloc(0)] : body;
  const records = [
    sealer.sealHead(head, data.length === 0),
    ...data.map((content, at) => sealer.sealData(content, at === data.length - 1)),
  ];
  return { contents: [head, ...data], wire: Buffer.concat(records) };
}

function cutAt(wire: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (wire.length + 1)).sort((a, b) => a - b)];
  return places.map((from, at) => wire.subarray(from, places[at + 1] ?? wire.length));
}

const cuts = fc.array(fc.nat(8_000), { maxLength: 40 });

it('every message opens from any chunks', () => {
  fc.assert(
    fc.property(messages, cuts, (message, places) => {
      const { contents, wire } = seal(message);
      expect(receive(new MessageOpener(key), cutAt(wire, places))).toEqual({
        contents,
        isComplete: true,
        error: undefined,
      });
    }),
    runs(),
  );
});

it('arbitrary bytes open no record, and fail only with a RelayError', () => {
  fc.assert(
    fc.property(bytes(0, 2_000), cuts, (wire, places) => {
      const received = receive(new MessageOpener(key), cutAt(wire, places));
      expect(received.error).toBeInstanceOf(RelayError);
      expect(received).toMatchObject({ contents: [], isComplete: false });
    }),
    runs(300),
  );
});

it('a message with overwritten bytes fails with a RelayError and never yields altered content', () => {
  fc.assert(
    fc.property(messages, cuts, fc.nat(), bytes(1, 40), (message, places, at, junk) => {
      const { contents, wire } = seal(message);
      const altered = Buffer.from(wire);
      junk.copy(altered, at % altered.length);
      fc.pre(!altered.equals(wire));
      const received = receive(new MessageOpener(key), cutAt(altered, places));
      expect(received.error).toBeInstanceOf(RelayError);
      expect(received.isComplete).toBe(false);
      expect(received.contents).toEqual(contents.slice(0, received.contents.length));
    }),
    runs(),
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { openPair, shortHead, StreamLog } from '../../../test/support/protocol/channel-ends.js';

describe('one flipped bit of any record', () => {
  it('breaks the channel, and releases nothing of the record', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), fc.integer({ min: 1, max: 3_000 }), (place, bit, length) => {
        const { a, b } = openPair();
        const stream = a.channel.openStream(shortHead(), new StreamLog());
        stream.end(Buffer.alloc(length, 7));
        a.transport.endTurn();
        const record = a.transport.leave()!;
        record[place % record.length]! ^= 1 << bit;
        b.channel.receive(record);
        expect(b.accepted).toEqual([]);
        expect(b.told[1]).toMatch(/^broken/);
      }),
      runs(200),
    );
  });
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { OctetQueue } from './octet-queue.js';

/** A positive number is pushed, that many octets; 0 takes the first piece out. */
const steps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }), fc.nat(40_000)), {
  maxLength: 60,
});

it('a queue of octets gives out what was put in, in its order and once', () => {
  fc.assert(
    fc.property(steps, (lengths) => {
      const queue = new OctetQueue();
      const put: Buffer[] = [];
      const got: Buffer[] = [];
      for (const length of lengths) {
        if (length === 0) {
          got.push(queue.shift() ?? Buffer.alloc(0));
        } else {
          const octets = randomBytes(length);
          put.push(Buffer.from(octets));
          queue.push(octets);
          octets.fill(0);
        }
      }
      const { bytes } = queue;
      const rest: Buffer[] = [];
      for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
        rest.push(piece);
      }
      expect(Buffer.concat(rest).length).toBe(bytes);
      expect(Buffer.concat([...got, ...rest]).equals(Buffer.concat(put))).toBe(true);
    }),
    runs(200),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { runs } from '../../../test/support/property.js';
import { parseClientIdHeader } from './client-id-header.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';
import { MAX_SEQUENCE, parseTunnelHeader } from './tunnel-header.js';

const clientId = `a53216a2.relay.${'A'.repeat(43)}`;
const tunnel = `1.${'A'.repeat(22)}.17.mke.${'A'.repeat(22)}`;

const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

/** Any text, and texts that are one edit away from a good header. */
const near = (good: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: anyUnit, maxLength: 120 }),
    fc
      .tuple(fc.nat(good.length), fc.nat(2), fc.string({ maxLength: 2 }))
      .map(([at, removed, added]) => good.slice(0, at) + added + good.slice(at + removed)),
  );

it('no text makes the reading of x-mte-client-id fail otherwise, and what is read is whole', () => {
  fc.assert(
    fc.property(near(clientId), (raw) => {
      try {
        const { identity, kid, mac } = parseClientIdHeader(raw);
        expect(`${identity}.${mac}`).toBe(raw);
        expect(identity.startsWith(`${kid}.`)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(RelayHeaderMalformedError);
      }
    }),
    runs(500),
  );
});

it('no text makes the reading of x-mte-relay fail otherwise, and what is read is whole', () => {
  fc.assert(
    fc.property(near(tunnel), (raw) => {
      try {
        const { sid, sequence, type } = parseTunnelHeader(raw);
        expect(raw.startsWith(`1.${sid}.${sequence}.${type}.`)).toBe(true);
        expect(sequence).toBeGreaterThan(0);
        expect(sequence).toBeLessThanOrEqual(MAX_SEQUENCE);
      } catch (error) {
        expect(error).toBeInstanceOf(RelayHeaderMalformedError);
      }
    }),
    runs(500),
  );
});

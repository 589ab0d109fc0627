import fc from 'fast-check';
import { expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { parseClientIdHeader } from './client-id-header.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';
import { MAX_AGE_SECONDS, MAX_SEQUENCE, parseTunnelHeader } from './tunnel-header.js';

const clientId = `a53216a2.relay.${'A'.repeat(43)}`;
const tunnel = `1.${'A'.repeat(22)}.17r16.305.mke.${'A'.repeat(22)}`;

const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

/** Arbitrary text, and text that is one edit away from a valid header. */
const near = (valid: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: anyUnit, maxLength: 120 }),
    fc
      .tuple(fc.nat(valid.length), fc.nat(2), fc.string({ maxLength: 2 }))
      .map(([at, removed, added]) => valid.slice(0, at) + added + valid.slice(at + removed)),
  );

it('any x-mte-client-id is decoded without loss or rejected as malformed', () => {
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

it('any x-mte-relay is decoded without loss or rejected as malformed', () => {
  fc.assert(
    fc.property(near(tunnel), (raw) => {
      try {
        const { sid, sequence, replaces, ageSeconds, type } = parseTunnelHeader(raw);
        const number = replaces === undefined ? `${sequence}` : `${sequence}r${replaces}`;
        expect(raw.startsWith(`1.${sid}.${number}.${ageSeconds}.${type}.`)).toBe(true);
        expect(sequence).toBeLessThanOrEqual(MAX_SEQUENCE);
        expect(replaces ?? 0).toBeLessThan(sequence);
        expect(replaces).not.toBe(0);
        expect(ageSeconds).toBeLessThanOrEqual(MAX_AGE_SECONDS);
      } catch (error) {
        expect(error).toBeInstanceOf(RelayHeaderMalformedError);
      }
    }),
    runs(500),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import {
  decodePairRequest,
  decodePairResponse,
  encodePairRequest,
  encodePairResponse,
} from './pair-message.js';
import { RelayError } from '@relay/errors';

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const requests = fc.record({
  unixMs: fc.maxSafeNat(),
  audience: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 255 }),
  publicKey: octets(1216),
});
const responses = fc.record({
  lifetimeSeconds: fc.integer({ min: 300, max: 86_400 }),
  maxMessages: fc.integer({ min: 1, max: 2 ** 20 - 1 }),
  encapsulation: octets(1120),
});
const confirmed = fc
  .tuple(responses, octets(32))
  .map(([response, confirm]) => Buffer.concat([encodePairResponse(response), confirm]));

/** Whether the bytes decode; every rejection must be a RelayError. */
const decodes = (decode: () => unknown): boolean => {
  try {
    decode();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RelayError);
    return false;
  }
};

it('a pairing request decodes to what was encoded', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const { publicKey, ...rest } = decodePairRequest(encodePairRequest(request));
      expect(rest).toEqual({ unixMs: request.unixMs, audience: request.audience });
      expect(Buffer.from(publicKey).equals(request.publicKey)).toBe(true);
    }),
    runs(),
  );
});

it('a pairing response decodes to what was encoded and to the bytes that its confirmation covers', () => {
  fc.assert(
    fc.property(responses, octets(32), (response, confirm) => {
      const covered = encodePairResponse(response);
      const decoded = decodePairResponse(Buffer.concat([covered, confirm]));
      expect(decoded.lifetimeSeconds).toBe(response.lifetimeSeconds);
      expect(decoded.maxMessages).toBe(response.maxMessages);
      expect(decoded.confirmed.equals(covered)).toBe(true);
      expect(decoded.confirm.equals(confirm)).toBe(true);
    }),
    runs(),
  );
});

it('a pairing request or response is rejected if it is truncated or followed by other bytes', () => {
  const rest = fc.uint8Array({ minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(
      requests.map(encodePairRequest),
      confirmed,
      fc.nat(),
      rest,
      (request, response, cut, more) => {
        for (const [body, decode] of [
          [request, decodePairRequest],
          [response, decodePairResponse],
        ] as const) {
          expect(() => decode(body.subarray(0, cut % body.length))).toThrow(RelayError);
          expect(() => decode(Buffer.concat([body, more]))).toThrow(RelayError);
        }
      },
    ),
    runs(),
  );
});

it('a pairing request or response with one octet changed is rejected with a RelayError, or is a valid one', () => {
  let accepted = 0;
  const change = fc.tuple(fc.nat(2_000), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      requests.map(encodePairRequest),
      confirmed,
      change,
      (request, response, [at, octet]) => {
        request.writeUInt8(octet, at % 12);
        response.writeUInt8(octet, at % 12);
        accepted += Number(
          decodes(() => {
            const decoded = decodePairRequest(request);
            expect(encodePairRequest(decoded).equals(request)).toBe(true);
          }),
        );
        accepted += Number(
          decodes(() => {
            const { confirm, ...decoded } = decodePairResponse(response);
            const again = Buffer.concat([encodePairResponse(decoded), confirm]);
            expect(again.equals(response)).toBe(true);
          }),
        );
      },
    ),
    runs(500),
  );
  expect(accepted).toBeGreaterThan(0);
});

it('arbitrary octets are decoded as a pairing request or response, or rejected with a RelayError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_500 }), (bytes) => {
      decodes(() => decodePairRequest(Buffer.from(bytes)));
      decodes(() => decodePairResponse(Buffer.from(bytes)));
    }),
    runs(500),
  );
});

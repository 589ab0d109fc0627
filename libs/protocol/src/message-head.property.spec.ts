import { validateHeaderName, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { checkRequestHead, checkResponseHead } from './head-rules.js';
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.js';
import type { RawFields } from '@relay/fields';
import { RelayError } from '@relay/errors';

const TOKEN = Array.from("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");
const octets = (low: number, high: number, without = ''): string[] =>
  Array.from({ length: high - low + 1 }, (_, at) => String.fromCharCode(low + at)).filter(
    (octet) => !without.includes(octet),
  );

const text = (units: readonly string[], minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...units), minLength, maxLength });

// The prefix keeps the names apart from those that are rejected.
const names = text(TOKEN, 0, 20).map((name) => `a${name}`);
const values = text(['\t', ...octets(0x20, 0x7e), ...octets(0x80, 0xff)], 0, 80);
const fields: fc.Arbitrary<RawFields> = fc
  .array(fc.tuple(names, values), { maxLength: 12 })
  .map((pairs) => pairs.flat());

const ports = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const authorities = fc.oneof(
  fc.constant(''),
  fc
    .tuple(
      fc.oneof(
        text(Array.from('abcXYZ019-._~'), 1, 249),
        fc.ipV4(),
        fc.ipV6().map((address) => `[${address}]`),
      ),
      ports,
    )
    .map(([host, port]) => (port === undefined ? host : `${host}:${port}`)),
);

const requests: fc.Arbitrary<RequestHead> = fc.record({
  method: text(TOKEN, 0, 10).map((method) => `M${method}`),
  scheme: fc.constantFrom('http' as const, 'https' as const),
  authority: authorities,
  path: text(octets(0x21, 0x7e, '/\\#'), 0, 300).map((path) => `/${path}`),
  fields,
});
const responses: fc.Arbitrary<ResponseHead> = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  fields,
});

describe('a valid head', () => {
  it('of a request is accepted, and decodes to what was encoded', () => {
    fc.assert(
      fc.property(requests, (head) => {
        checkRequestHead(head);
        expect(decodeRequestHead(encodeRequestHead(head))).toEqual(head);
      }),
      runs(),
    );
  });

  it('of a response is accepted, and decodes to what was encoded', () => {
    fc.assert(
      fc.property(responses, (head) => {
        checkResponseHead(head);
        expect(decodeResponseHead(encodeResponseHead(head))).toEqual(head);
      }),
      runs(),
    );
  });

  it('is encoded again to the bytes that it was decoded from', () => {
    fc.assert(
      fc.property(requests, responses, (request, response) => {
        const requestBytes = encodeRequestHead(request);
        expect(encodeRequestHead(decodeRequestHead(requestBytes))).toEqual(requestBytes);
        const responseBytes = encodeResponseHead(response);
        expect(encodeResponseHead(decodeResponseHead(responseBytes))).toEqual(responseBytes);
      }),
      runs(),
    );
  });

  it('is rejected if it is truncated or followed by other bytes', () => {
    fc.assert(
      fc.property(requests, fc.nat(), fc.uint8Array({ minLength: 1 }), (head, cut, rest) => {
        const bytes = encodeRequestHead(head);
        expect(() => decodeRequestHead(bytes.subarray(0, cut % bytes.length))).toThrow(RelayError);
        expect(() => decodeRequestHead(Buffer.concat([bytes, rest]))).toThrow(RelayError);
      }),
      runs(),
    );
  });
});

/** Decodes and validates: what is accepted must be safe to write; every rejection must be a RelayError. */
function acceptAny(bytes: Buffer): number {
  let accepted = 0;
  try {
    const head = decodeRequestHead(bytes);
    checkRequestHead(head);
    accepted += 1;
    expect(head.path).toMatch(/^\/[!-~]*$/);
    expect(head.authority).toMatch(/^[\w.:~[\]-]{0,255}$/);
    expectWritable([head.method, '', ...head.fields]);
  } catch (error) {
    expect(error).toBeInstanceOf(RelayError);
  }
  try {
    const head = decodeResponseHead(bytes);
    checkResponseHead(head);
    accepted += 1;
    expect(head.status).toBeGreaterThanOrEqual(200);
    expectWritable(head.fields);
  } catch (error) {
    expect(error).toBeInstanceOf(RelayError);
  }
  return accepted;
}

/** Node.js agrees that every name is a token and no value contains a control character. */
function expectWritable(pairs: RawFields): void {
  for (let at = 0; at < pairs.length; at += 2) {
    validateHeaderName(pairs[at]!);
    validateHeaderValue(pairs[at]!, pairs[at + 1]!);
  }
}

describe('arbitrary bytes', () => {
  it('are rejected with a RelayError, or give a head that is safe to write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        acceptAny(Buffer.from(bytes));
      }),
      runs(1_000),
    );
  });

  it('after a valid beginning are rejected with a RelayError, or give a head that is safe to write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        acceptAny(Buffer.concat([Buffer.of(0x01, 0x40, 0xc8, bytes.length), bytes]));
      }),
      runs(1_000),
    );
  });

  it('that differ from a head in one byte are rejected with a RelayError, or give a head that is safe to write', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof(requests.map(encodeRequestHead), responses.map(encodeResponseHead)),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        (bytes, at, octet) => {
          bytes[at % bytes.length] = octet;
          accepted += acceptAny(bytes);
        },
      ),
      runs(1_000),
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

it('a control character at any place in a field is rejected', () => {
  const controls = [...octets(0x00, 0x1f, '\t'), '\x7f'];
  fc.assert(
    fc.property(fc.constantFrom(...controls), values, values, (control, before, after) => {
      const value = `${before}${control}${after}`;
      expect(() => {
        checkResponseHead({ status: 200, fields: ['a', value] });
      }).toThrow(RelayError);
      const name = `a${control}b`;
      expect(() => {
        checkResponseHead({ status: 200, fields: [name, ''] });
      }).toThrow(RelayError);
    }),
    runs(),
  );
});

import { describe, expect, it } from 'vitest';

import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.js';
import { HeadInvalidError } from './protocol.errors.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** The example of protocol.md section 6. */
const cookies: ResponseHead = {
  status: 201,
  fields: ['set-cookie', 'a=1', 'set-cookie', 'b=2'],
};
const cookieBytes = hex(
  '01 40c9 1e 0a 7365742d636f6f6b6965 03 613d31 0a 7365742d636f6f6b6965 03 623d32',
);

const request: RequestHead = {
  method: 'GET',
  scheme: 'https',
  authority: '',
  path: '/a?b',
  fields: ['accept', '*/*'],
};
const requestBytes = hex('00 03 474554 05 6874747073 00 04 2f613f62 0b 06 616363657074 03 2a2f2a');

describe('a response head', () => {
  it('with two cookies is encoded as in protocol.md section 6', () => {
    expect(encodeResponseHead(cookies)).toEqual(cookieBytes);
    expect(decodeResponseHead(cookieBytes)).toEqual(cookies);
  });

  it('without fields is four bytes long', () => {
    const bytes = hex('01 40cc 00');
    expect(encodeResponseHead({ status: 204, fields: [] })).toEqual(bytes);
    expect(decodeResponseHead(bytes)).toEqual({ status: 204, fields: [] });
  });

  it('is not decoded as a request head, nor a request head as a response head', () => {
    expect(() => decodeRequestHead(cookieBytes)).toThrow(HeadInvalidError);
    expect(() => decodeResponseHead(requestBytes)).toThrow(HeadInvalidError);
  });
});

describe('a request head', () => {
  it('of a client that names no host has an empty authority', () => {
    expect(encodeRequestHead(request)).toEqual(requestBytes);
    expect(decodeRequestHead(requestBytes)).toEqual(request);
  });

  it.each([
    ['an indeterminate-length request', '02'],
    ['an indeterminate-length response', '03'],
    ['an unknown framing indicator', '3f'],
  ])('is not %s', (_name, indicator) => {
    const bytes = Buffer.concat([hex(indicator), requestBytes.subarray(1)]);
    expect(() => decodeRequestHead(bytes)).toThrow(HeadInvalidError);
    expect(() => decodeResponseHead(bytes)).toThrow(HeadInvalidError);
  });

  it.each(['', 'ftp', 'HTTP', 'httpss', 'ws'])('is rejected with the scheme "%s"', (scheme) => {
    const bytes = encodeRequestHead({ ...request, scheme: scheme as 'http' });
    expect(() => decodeRequestHead(bytes)).toThrow(HeadInvalidError);
  });

  it('is accepted with the scheme http or https', () => {
    for (const scheme of ['http', 'https'] as const) {
      expect(decodeRequestHead(encodeRequestHead({ ...request, scheme })).scheme).toBe(scheme);
    }
  });

  it('consists of method, scheme, authority, path and fields', () => {
    const bytes = hex('00 03 474554 05 6874747073 03 623a31 04 2f613f62 00');
    const named: RequestHead = { ...request, authority: 'b:1', fields: [] };
    expect(encodeRequestHead(named)).toEqual(bytes);
    expect(decodeRequestHead(bytes)).toEqual(named);
  });

  it('has an authority of any length in its limit of 65,536 bytes', () => {
    const rest = encodeRequestHead({ ...request, fields: ['n', 'v'.repeat(60_000)] }).length;
    const fields = ['n', 'v'.repeat(60_000 + 65_536 - rest)];
    expect(encodeRequestHead({ ...request, fields })).toHaveLength(65_536);
    expect(() => encodeRequestHead({ ...request, authority: 'a', fields })).toThrow(
      HeadInvalidError,
    );
  });
});

describe('any head', () => {
  it.each([
    ['1-byte', '00 03 474554 05 6874747073 00 04 2f613f62 00'],
    ['2-byte', '4000 4003 474554 4005 6874747073 4000 4004 2f613f62 4000'],
    ['4-byte', '80000000 80000003 474554 80000005 6874747073 80000000 80000004 2f613f62 80000000'],
    [
      '8-byte',
      `c000000000000000 c000000000000003 474554 c000000000000005 6874747073
       c000000000000000 c000000000000004 2f613f62 c000000000000000`.replaceAll('\n', ''),
    ],
  ])('is accepted with its integers in %s form', (_name, bytes) => {
    expect(decodeRequestHead(hex(bytes))).toEqual({ ...request, fields: [] });
  });

  it('is accepted with its status and fields in longer forms than needed', () => {
    expect(decodeResponseHead(hex('4001 800000c9 c000000000000006 4001 61 4001 62'))).toEqual({
      status: 201,
      fields: ['a', 'b'],
    });
  });

  it.each(['c000000040000000', 'ffffffffffffffff', 'c000000100000000'])(
    'is rejected with the integer %s',
    (integer) => {
      expect(() => decodeResponseHead(hex(`01 ${integer} 00`))).toThrow(HeadInvalidError);
      expect(() => decodeResponseHead(hex(`01 40c8 ${integer}`))).toThrow(HeadInvalidError);
      expect(() => decodeRequestHead(hex(`00 ${integer} 00`))).toThrow(HeadInvalidError);
    },
  );

  it('is rejected if it is truncated at any place', () => {
    for (let cut = 0; cut < requestBytes.length; cut += 1) {
      expect(() => decodeRequestHead(requestBytes.subarray(0, cut))).toThrow(HeadInvalidError);
    }
    for (let cut = 0; cut < cookieBytes.length; cut += 1) {
      expect(() => decodeResponseHead(cookieBytes.subarray(0, cut))).toThrow(HeadInvalidError);
    }
  });

  it('is rejected with bytes after the header section', () => {
    const content = hex('05 68656c6c6f');
    for (const rest of [hex('00'), hex('0000'), content]) {
      expect(() => decodeRequestHead(Buffer.concat([requestBytes, rest]))).toThrow(
        HeadInvalidError,
      );
      expect(() => decodeResponseHead(Buffer.concat([cookieBytes, rest]))).toThrow(
        HeadInvalidError,
      );
    }
  });

  it.each([
    ['whose name passes the end of the section', '01 40c8 02 02 61'],
    ['without a value', '01 40c8 02 01 61'],
    ['whose value passes the end of the section', '01 40c8 04 01 61 02 62 63'],
    ['whose length is truncated', '01 40c8 01 40'],
  ])('is rejected with a field %s', (_name, bytes) => {
    expect(() => decodeResponseHead(hex(bytes))).toThrow(HeadInvalidError);
  });

  it('preserves the order, duplicates and empty values of its fields', () => {
    const fields = ['b', '1', 'a', '', 'b', '2', 'a', '3', 'b', '1'];
    expect(decodeRequestHead(encodeRequestHead({ ...request, fields })).fields).toEqual(fields);
    expect(decodeResponseHead(encodeResponseHead({ status: 200, fields })).fields).toEqual(fields);
  });

  it('carries octets above 0x7f as latin1', () => {
    const fields = ['name', 'caf\xe9', 'all', '\x80\xa0\xff'];
    const bytes = encodeResponseHead({ status: 200, fields });
    expect(bytes.includes(hex('04 636166e9'))).toBe(true);
    expect(decodeResponseHead(bytes).fields).toEqual(fields);
  });

  it('uses the shortest form of each integer', () => {
    for (const [length, form] of [
      [63, '3f'],
      [64, '4040'],
      [16_383, '7fff'],
      [16_384, '80004000'],
    ] as const) {
      const bytes = encodeResponseHead({ status: 200, fields: ['n', 'v'.repeat(length)] });
      expect(bytes.includes(hex(`01 6e ${form} 76`))).toBe(true);
      expect(decodeResponseHead(bytes).fields[1]).toHaveLength(length);
    }
  });

  it('is at most 65,536 bytes long', () => {
    const atLimit = (bytes: number): RequestHead => {
      const rest = encodeRequestHead({ ...request, fields: ['n', 'v'.repeat(60_000)] }).length;
      return { ...request, fields: ['n', 'v'.repeat(60_000 + bytes - rest)] };
    };
    expect(encodeRequestHead(atLimit(65_535))).toHaveLength(65_535);
    const full = encodeRequestHead(atLimit(65_536));
    expect(full).toHaveLength(65_536);
    expect(decodeRequestHead(full)).toEqual(atLimit(65_536));
    expect(() => encodeRequestHead(atLimit(65_537))).toThrow(HeadInvalidError);

    const { fields } = atLimit(70_000);
    expect(() => encodeResponseHead({ status: 200, fields })).toThrow(HeadInvalidError);
    expect(() => encodeRequestHead({ ...request, path: `/${'p'.repeat(65_536)}` })).toThrow(
      HeadInvalidError,
    );
  });
});

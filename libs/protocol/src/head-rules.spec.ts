import { describe, expect, it } from 'vitest';

import { checkRequestHead, checkResponseHead } from './head-rules.js';
import type { RequestHead } from './message-head.js';
import { HeadInvalidError } from './protocol.errors.js';
import { HOP_BY_HOP_FIELDS, type RawFields } from '@relay/fields';

const valid: RequestHead = {
  method: 'GET',
  scheme: 'https',
  authority: '',
  path: '/',
  fields: [],
};

function isAccepted(change: Partial<RequestHead>): boolean {
  return passes(() => {
    checkRequestHead({ ...valid, ...change });
  });
}

function isAcceptedStatus(status: number): boolean {
  return passes(() => {
    checkResponseHead({ status, fields: [] });
  });
}

/** The rules for fields are the same in both directions. */
function areAccepted(fields: RawFields): boolean {
  const inRequest = isAccepted({ fields });
  const inResponse = passes(() => {
    checkResponseHead({ status: 200, fields });
  });
  expect(inResponse).toBe(inRequest);
  return inRequest;
}

/** Every rejection must be a HeadInvalidError. */
function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HeadInvalidError);
    return false;
  }
}

describe('a method', () => {
  it.each(['GET', 'POST', 'M-SEARCH', 'PROPFIND', 'patch', 'A1', "!#$%&'*+-.^_`|~"])(
    '%s is accepted',
    (method) => {
      expect(isAccepted({ method })).toBe(true);
    },
  );

  it.each(['', 'CONNECT', 'TRACE', 'GET ', ' GET', 'G T', 'G\tT', 'GET\n', 'G/T', 'G:', 'G\xc9'])(
    '%j is rejected',
    (method) => {
      expect(isAccepted({ method })).toBe(false);
    },
  );
});

describe('an authority', () => {
  it.each(['', 'api.example.com', 'localhost:8080', '192.0.2.1:1', '[::1]:65535', 'a'.repeat(255)])(
    '%j is accepted',
    (authority) => {
      expect(isAccepted({ authority })).toBe(true);
    },
  );

  it.each([
    ...['user@a', 'a:', 'a:0', 'a:65536', 'a,b', 'a/b', 'a b', 'a\r\nx: y', '::1', '[::1', ' '],
    'a'.repeat(256),
  ])('%j is rejected', (authority) => {
    expect(isAccepted({ authority })).toBe(false);
  });
});

describe('a path', () => {
  it.each([
    '/',
    '/a/b?c=d&e',
    '/a//b',
    '/a/../b',
    '/%2e%2e/%5c%2f',
    '/@evil',
    '/:80',
    '/?//x',
    '/?path=C:\\temp',
    '/a?\\',
    '/a?b?\\\\host\\..\\',
    '/?[0]{1}|2^3`4<5>6"7\\',
    '/!"$%&\'()*+,-.:;<=>?@[]^_`{|}~',
    `/${'p'.repeat(16_000)}`,
  ])('%s is accepted', (path) => {
    expect(isAccepted({ path })).toBe(true);
  });

  it.each([
    '',
    '*',
    'a',
    '?a',
    '@evil',
    '//evil',
    '///',
    '//',
    '/\\evil',
    '/a\\b',
    '\\',
    '/a\\?b',
    '/\\?\\',
    '/a?b c',
    '/a?b\tc',
    '/a?b#c',
    '/a?\x7f',
    '/a?caf\xe9',
    '/a?b\n',
    '//?\\',
    '?\\',
    '/a#b',
    '/#',
    '/a b',
    '/ ',
    ' /',
    '/a\tb',
    '/a\r\nb',
    '/a\n',
    '/a\0',
    '/\x7f',
    '/\x80',
    '/caf\xe9',
    '/\u2028',
    'http://b.example/',
    'https://b.example',
    'b.example:443',
  ])('%j is rejected', (path) => {
    expect(isAccepted({ path })).toBe(false);
  });
});

describe('a status', () => {
  it.each([200, 201, 204, 304, 404, 559, 569, 599])('%i is accepted', (status) => {
    expect(isAcceptedStatus(status)).toBe(true);
  });

  it.each([0, 1, 99, 100, 101, 103, 199, 600, 999, 65_536])('%i is rejected', (status) => {
    expect(isAcceptedStatus(status)).toBe(false);
  });
});

describe('a field name', () => {
  it.each(['a', 'accept', 'x-request-id', 'x-mt', 'x-mte', 'xx-mte-a', "!#$%&'*+-.^_`|~09"])(
    '%s is accepted',
    (name) => {
      expect(areAccepted([name, 'v'])).toBe(true);
    },
  );

  it.each(['', 'Accept', 'a b', 'a:', ':path', 'a\r\n', 'a\n', 'a\0', 'a\t', 'caf\xe9', '(a)'])(
    '%j is rejected',
    (name) => {
      expect(areAccepted([name, 'v'])).toBe(false);
    },
  );

  it.each([
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ])('%s concerns a single connection and is rejected', (name) => {
    expect(HOP_BY_HOP_FIELDS.has(name)).toBe(true);
    expect(areAccepted([name, 'v'])).toBe(false);
    expect(areAccepted(['a', 'v', name, ''])).toBe(false);
  });

  // The third Proxy-Auth… field that protocol.md section 6 removes; RFC 9110 section 11.7.3 defines it.
  it('proxy-authentication-info concerns a single connection and is rejected', () => {
    expect(HOP_BY_HOP_FIELDS.has('proxy-authentication-info')).toBe(true);
    expect(areAccepted(['proxy-authentication-info', 'v'])).toBe(false);
  });

  it.each(['host', 'expect', 'x-mte-', 'x-mte-relay', 'x-mte-client-id', 'x-mte-outbound-token'])(
    '%s is reserved for the relays and is rejected',
    (name) => {
      expect(areAccepted([name, 'v'])).toBe(false);
      expect(areAccepted(['a', 'v', name, ''])).toBe(false);
    },
  );
});

describe('a field value', () => {
  it('may contain a tab and every octet of 20–7E and 80–FF, and no other', () => {
    for (let octet = 0; octet <= 0xff; octet += 1) {
      const isAllowed = octet === 9 || (octet >= 0x20 && octet <= 0x7e) || octet >= 0x80;
      for (const value of [`a${String.fromCharCode(octet)}b`, String.fromCharCode(octet)]) {
        expect(areAccepted(['name', value])).toBe(isAllowed);
      }
    }
  });

  it('may be empty, and may be caf\xe9 in latin1', () => {
    expect(areAccepted(['name', ''])).toBe(true);
    expect(areAccepted(['name', 'caf\xe9'])).toBe(true);
  });

  it.each(['a\r\nx: y', 'a\n', 'a\r', '\0', '\u0100', 'caf\u0301', '\u{1f600}', '\u2028'])(
    '%j is rejected',
    (value) => {
      expect(areAccepted(['name', value])).toBe(false);
    },
  );
});

describe('content-length', () => {
  it.each(['0', '00', '5', '123456789012345', '000000000000005'])('%s is accepted', (value) => {
    expect(areAccepted(['content-length', value])).toBe(true);
  });

  it.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    ' 5',
    '5 ',
    '5, 5',
    '5,5',
    '1234567890123456',
    '٥',
  ])('%j is rejected', (value) => {
    expect(areAccepted(['content-length', value])).toBe(false);
  });

  it('is rejected if it occurs twice, even with equal values', () => {
    expect(areAccepted(['content-length', '5', 'content-length', '5'])).toBe(false);
    expect(areAccepted(['content-length', '5', 'a', 'v', 'content-length', '6'])).toBe(false);
  });
});

describe('the fields of a head', () => {
  const many = (count: number): string[] =>
    Array.from({ length: count }, () => ['name', 'value']).flat();

  it('may be 256', () => {
    expect(areAccepted(many(256))).toBe(true);
  });

  it('are rejected if they are 257', () => {
    expect(areAccepted(many(257))).toBe(false);
  });

  it('may be none', () => {
    expect(areAccepted([])).toBe(true);
  });

  it('are rejected if the last has no value, since they could not be decoded again', () => {
    expect(areAccepted(['name'])).toBe(false);
    expect(areAccepted(['name', 'value', 'name'])).toBe(false);
  });

  it('are rejected with one bad field at any place', () => {
    for (let at = 0; at < 20; at += 2) {
      expect(areAccepted(many(10).with(at, 'te'))).toBe(false);
      expect(areAccepted(many(10).with(at + 1, 'a\0'))).toBe(false);
    }
  });
});

it('a rejected head does not reveal its values in the error', () => {
  expect.assertions(2);
  try {
    checkRequestHead({ ...valid, fields: ['authorization', 'Bearer canary\0'] });
  } catch (error) {
    expect(error).toBeInstanceOf(HeadInvalidError);
    expect(String(error)).not.toContain('canary');
  }
});

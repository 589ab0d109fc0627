import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { RelayHeaderMalformedError } from './protocol.errors.js';
import {
  MAX_AGE_SECONDS,
  MAX_SEQUENCE,
  formatResponseHeader,
  formatTunnelHeader,
  isResponseHeader,
  parseTunnelHeader,
  type TunnelHeaderFields,
} from './tunnel-header.js';

const sid = 'E2uOwaOy1rJ0iSmtbBjUiw';
const salt = 'AQEBAQEBAQEBAQEBAQEBAQ';
const good = `1.${sid}.2.0.mke.${salt}`;
const replacing = `1.${sid}.2r1.0.mke.${salt}`;
const check = `1.${sid}.2.0.check.${salt}`;

const withNumber = (number: string): string => good.replace('.2.0.', `.${number}.0.`);
const withAge = (age: string): string => good.replace('.2.0.', `.2.${age}.`);

describe('the x-mte-relay of a tunnel request', () => {
  it('is decoded into session id, numbers, age and type, and kept as received', () => {
    const fields = { sid, sequence: 2, replaces: undefined, ageSeconds: 0 };
    expect(parseTunnelHeader(good)).toEqual({ raw: good, ...fields, type: 'mke' });
    expect(parseTunnelHeader(check)).toEqual({ raw: check, ...fields, type: 'check' });
    const mte = `1.${sid}.1048575r1048574.99999.mte.${salt}`;
    expect(parseTunnelHeader(mte)).toEqual({
      raw: mte,
      sid,
      sequence: 1_048_575,
      replaces: 1_048_574,
      ageSeconds: 99_999,
      type: 'mte',
    });
  });

  it('has the parts of protocol.md section 2, in that order', () => {
    const fields = { sid, sequence: 20, replaces: 7, ageSeconds: 305, type: 'mte' } as const;
    expect(formatTunnelHeader(fields, Buffer.alloc(16, 1))).toBe(`1.${sid}.20r7.305.mte.${salt}`);
    expect(formatTunnelHeader({ ...fields, replaces: undefined }, Buffer.alloc(16, 1))).toBe(
      `1.${sid}.20.305.mte.${salt}`,
    );
  });

  it('decodes to what was encoded', () => {
    const expectSame = (fields: TunnelHeaderFields): void => {
      const raw = formatTunnelHeader(fields, randomBytes(16));
      expect(parseTunnelHeader(raw)).toEqual({ raw, ...fields });
    };
    for (const sequence of [2, 9, 10, 262_143, MAX_SEQUENCE]) {
      for (const ageSeconds of [0, 1, 9, 10, 3600, MAX_AGE_SECONDS]) {
        const fields = { sid: randomBytes(16).toString('base64url'), sequence, ageSeconds };
        expectSame({ ...fields, replaces: undefined, type: 'check' });
        for (const type of ['mke', 'mte'] as const) {
          for (const replaces of [undefined, 1, sequence - 1]) {
            expectSame({ ...fields, replaces, type });
          }
        }
      }
    }
  });

  it('carries sequence numbers up to 2^20 − 1', () => {
    expect(MAX_SEQUENCE).toBe(1_048_575);
    expect(parseTunnelHeader(withNumber('1048575')).sequence).toBe(MAX_SEQUENCE);
  });

  it('carries ages up to 99,999 s, longer than any session lives', () => {
    expect(MAX_AGE_SECONDS).toBe(99_999);
    expect(parseTunnelHeader(withAge('99999')).ageSeconds).toBe(MAX_AGE_SECONDS);
  });

  it.each([
    ['an empty value', ''],
    ['version 2', `2${good.slice(1)}`],
    ['version 01', `0${good}`],
    ['version 11', `1${good}`],
    ['no version', good.slice(2)],
    ['only the version', '1'],
    ['the form of a response', `1.${salt}`],
    ['the form of a signed error', `1.error.560.0.1767225600000.${'A'.repeat(43)}`],
    ['two equal values, joined', `${good}, ${good}`],
    ['two equal values, joined without a space', `${good},${good}`],
    ['a space before it', ` ${good}`],
    ['a space after it', `${good} `],
    ['a line feed after it', `${good}\n`],
    ['a seventh part', `${good}.`],
    ['an upper-case type', good.replace('mke', 'MKE')],
    ['an unknown type', good.replace('mke', 'mka')],
    ['no type', good.replace('mke', '')],
    ['sequence number 0', withNumber('0')],
    ['a sequence number with a leading zero', withNumber('01')],
    ['no sequence number', withNumber('')],
    ['a signed sequence number', withNumber('+1')],
    ['a negative sequence number', withNumber('-1')],
    ['a sequence number with an exponent', withNumber('1e3')],
    ['a hexadecimal sequence number', withNumber('0x1')],
    ['a sequence number in digits other than ASCII', withNumber('١')],
    ['sequence number 2^20', withNumber('1048576')],
    ['sequence number 9,999,999', withNumber('9999999')],
    ['sequence number 2^32 − 1', withNumber('4294967295')],
    ['sequence number 2^64', withNumber('18446744073709551616')],
    ['the number of another message that is 0', withNumber('2r0')],
    ['the number of another message that is its own', withNumber('2r2')],
    ['the number of another message that is greater than its own', withNumber('2r3')],
    ['the greatest number as that of another message', withNumber('1048575r1048575')],
    ['the number of another message with a leading zero', withNumber('2r01')],
    ['the number of another message with a sign', withNumber('2r+1')],
    ['the number of another message without digits', withNumber('2r')],
    ['only the number of another message', withNumber('r1')],
    ['an upper-case R', withNumber('2R1')],
    ['two other messages', withNumber('3r2r1')],
    ['another message after a space', withNumber('2 r1')],
    ['another message before sequence number 2^20', withNumber('1048576r1')],
    ['a check that replaces a message', replacing.replace('mke', 'check')],
    ['no age', withAge('')],
    ['no part for the age', `1.${sid}.2.mke.${salt}`],
    ['an age with a leading zero', withAge('01')],
    ['an age of 00', withAge('00')],
    ['a negative age', withAge('-1')],
    ['a signed age', withAge('+1')],
    ['an age with a fraction', withAge('1.5')],
    ['an age with an exponent', withAge('1e3')],
    ['a hexadecimal age', withAge('0x1')],
    ['an age of 100,000 s', withAge('100000')],
    ['an age in digits other than ASCII', withAge('١')],
    ['an age with another number', withAge('0r0')],
    ['an upper-case check', check.replace('check', 'CHECK')],
    ['a longer type', check.replace('check', 'checks')],
    ['two types', good.replace('mke', 'mke|mte')],
    ['a short session id', good.replace(sid, sid.slice(1))],
    ['a long session id', good.replace(sid, `A${sid}`)],
    ['a non-canonical session id', good.replace(sid, `${sid.slice(0, -1)}x`)],
    ['a short salt', good.slice(0, -1)],
    ['a long salt', `${good}Q`],
    ['a padded salt', `${good}==`],
    ['a non-canonical salt', `${good.slice(0, -1)}R`],
    ['a salt in plain base64', good.replace(salt, `+/${salt.slice(2)}`)],
  ])('is rejected with %s', (_name, raw) => {
    expect(() => parseTunnelHeader(raw)).toThrow(RelayHeaderMalformedError);
  });

  it('is rejected if the last character of its session id or salt has unused bits set', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = Array.from(alphabet).filter((last) => {
      const text = `${'A'.repeat(21)}${last}`;
      const isCanonical = Buffer.from(text, 'base64url').toString('base64url') === text;
      for (const raw of [good.replace(sid, text), good.replace(salt, text)]) {
        if (isCanonical) {
          parseTunnelHeader(raw);
        } else {
          expect(() => parseTunnelHeader(raw)).toThrow(RelayHeaderMalformedError);
        }
      }
      expect(isResponseHeader(`1.${text}`)).toBe(isCanonical);
      return isCanonical;
    });
    expect(accepted.join('')).toBe('AQgw');
  });
});

describe('the x-mte-relay of a sealed response', () => {
  it('is recognised as it is encoded', () => {
    expect(formatResponseHeader(Buffer.alloc(16, 2))).toBe('1.AgICAgICAgICAgICAgICAg');
    for (let run = 0; run < 50; run += 1) {
      expect(isResponseHeader(formatResponseHeader(randomBytes(16)))).toBe(true);
    }
  });

  it.each([
    '',
    '1',
    '1.',
    salt,
    `2.${salt}`,
    `1.${salt.slice(1)}`,
    `1.${salt}A`,
    `1.${salt}==`,
    `1.${salt.slice(0, -1)}R`,
    `1.${salt}, 1.${salt}`,
    `1.${salt}\n`,
    ` 1.${salt}`,
    `1.error.560.0.1767225600000.${'A'.repeat(43)}`,
    good,
  ])('does not have the form %j', (raw) => {
    expect(isResponseHeader(raw)).toBe(false);
  });
});

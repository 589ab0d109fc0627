import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { RelayHeaderMalformedError } from './protocol.errors.js';
import {
  MAX_SEQUENCE,
  formatResponseHeader,
  formatTunnelHeader,
  isResponseHeader,
  parseTunnelHeader,
} from './tunnel-header.js';

const sid = 'E2uOwaOy1rJ0iSmtbBjUiw';
const salt = 'AQEBAQEBAQEBAQEBAQEBAQ';
const good = `1.${sid}.1.mke.${salt}`;

describe('the x-mte-relay of a tunnel request', () => {
  it('is decoded into session id, sequence number and type, and kept as received', () => {
    expect(parseTunnelHeader(good)).toEqual({ raw: good, sid, sequence: 1, type: 'mke' });
    const mte = `1.${sid}.1048575.mte.${salt}`;
    expect(parseTunnelHeader(mte)).toEqual({ raw: mte, sid, sequence: 1_048_575, type: 'mte' });
  });

  it('decodes to what was encoded', () => {
    for (const sequence of [1, 9, 10, 262_143, MAX_SEQUENCE]) {
      for (const type of ['mke', 'mte'] as const) {
        const randomSid = randomBytes(16).toString('base64url');
        const raw = formatTunnelHeader(randomSid, sequence, type, randomBytes(16));
        expect(parseTunnelHeader(raw)).toEqual({ raw, sid: randomSid, sequence, type });
      }
    }
  });

  it('carries sequence numbers up to 2^20 − 1', () => {
    expect(MAX_SEQUENCE).toBe(1_048_575);
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
    ['a sixth part', `${good}.`],
    ['an upper-case type', good.replace('mke', 'MKE')],
    ['an unknown type', good.replace('mke', 'mka')],
    ['no type', good.replace('mke', '')],
    ['sequence number 0', good.replace('.1.m', '.0.m')],
    ['a sequence number with a leading zero', good.replace('.1.m', '.01.m')],
    ['no sequence number', good.replace('.1.m', '..m')],
    ['a signed sequence number', good.replace('.1.m', '.+1.m')],
    ['a negative sequence number', good.replace('.1.m', '.-1.m')],
    ['a sequence number with an exponent', good.replace('.1.m', '.1e3.m')],
    ['a hexadecimal sequence number', good.replace('.1.m', '.0x1.m')],
    ['a sequence number in digits other than ASCII', good.replace('.1.m', '.١.m')],
    ['sequence number 2^20', good.replace('.1.m', '.1048576.m')],
    ['sequence number 9,999,999', good.replace('.1.m', '.9999999.m')],
    ['sequence number 2^32 − 1', good.replace('.1.m', '.4294967295.m')],
    ['sequence number 2^64', good.replace('.1.m', '.18446744073709551616.m')],
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

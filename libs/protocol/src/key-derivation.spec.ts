import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { hkdfExpand } from './hkdf-expand.js';
import { lengthPrefixed } from './length-prefixed.js';
import { deriveNextKey, deriveRequestKey, deriveResponseKey } from './session-keys.js';

describe('HKDF-Expand', () => {
  it('equals the second step of the HKDF of node:crypto', () => {
    for (let run = 0; run < 20; run += 1) {
      const [input, salt, info] = [randomBytes(40), randomBytes(32), randomBytes(run)];
      const extracted = createHmac('sha256', salt).update(input).digest();
      const whole = Buffer.from(hkdfSync('sha256', input, salt, info, 32));
      expect(hkdfExpand(extracted, info.toString('latin1'))).toEqual(whole);
    }
  });

  it('gives the first 32 bytes of test case 1 of RFC 5869', () => {
    const key = Buffer.from(
      '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      'hex',
    );
    expect(hkdfExpand(key, '\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9').toString('hex')).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
    );
  });
});

describe('length-prefixed parts', () => {
  it.each([
    [[], ''],
    [[''], '00000000'],
    [['', ''], '0000000000000000'],
    [['a'], '0000000161'],
    [['ab', 'c'], '0000000261620000000163'],
    [['a', 'bc'], '0000000161000000026263'],
    [['caf\xe9'], '00000005636166c3a9'],
    [[560], '00000003353630'],
    [[0], '0000000130'],
    [[1_767_225_600_000], '0000000d31373637323235363030303030'],
    [[Buffer.of(0, 255)], '0000000200ff'],
    [[new Uint8Array([1, 2]), 'a'], '0000000201020000000161'],
    [['\u{1f511}', 'a'], '00000004f09f94910000000161'],
  ] as [(string | number | Uint8Array)[], string][])('of %j encode to %s', (parts, hex) => {
    expect(lengthPrefixed(...parts).toString('hex')).toBe(hex);
  });
});

describe('the key that follows another in a channel', () => {
  it('is that of docs/protocol.md section 11.2', () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
    expect(deriveNextKey(key).toString('hex')).toBe(
      '1bf4e053a223f69a3667c44efd2289bd6f110e13276131c1624a3a37d2b6d9d2',
    );
  });
});

describe('message keys', () => {
  const session = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
  const hmac = (key: Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(`${text}\x01`).digest();

  it('for a request are bound to the direction and to the whole request header', () => {
    expect(deriveRequestKey(session, 'header')).toEqual(
      hmac(session.clientToServer, 'mte-relay/1 request\0header'),
    );
  });

  it('for a response are bound to the direction and to both headers', () => {
    expect(deriveResponseKey(session, 'header', 'response')).toEqual(
      hmac(session.serverToClient, 'mte-relay/1 response\0header\0response'),
    );
  });
});

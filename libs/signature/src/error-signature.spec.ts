import { describe, expect, it } from 'vitest';

import { deriveSecretKeys } from '@relay/protocol';

import { signError, verifyError, type SignedError } from './error-signature.js';

const keys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
const otherKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-2');

const REQUEST = 'a53216a2.relay-a-1.NWO_0R_GoJL9ZT02cHFpoPFM2gHRQDPMdOq7h9HCnbY';
const OTHER_REQUEST = 'a53216a2.relay-a-1.fugrZafM7Cvg_nrLbqzqaU_rxyTupr08QBML1L7-EIQ';
const STATEMENT: SignedError = {
  status: 560,
  isNeverForwarded: true,
  unixMs: 1_767_225_600_000,
};
const signed = signError(keys, REQUEST, STATEMENT);

describe('a signed error', () => {
  it.each([559, 560, 561, 562, 563, 565, 566, 567, 568, 569])(
    'of status %i verifies with either value of p',
    (status) => {
      for (const isNeverForwarded of [true, false]) {
        const statement = { ...STATEMENT, status, isNeverForwarded };
        const header = signError(keys, REQUEST, statement);
        expect(verifyError(keys, REQUEST, header, status)).toEqual(statement);
      }
    },
  );

  it('says nothing about another request, or under another secret', () => {
    expect(verifyError(keys, OTHER_REQUEST, signed, 560)).toBeUndefined();
    expect(verifyError(otherKeys, REQUEST, signed, 560)).toBeUndefined();
  });

  it('says nothing where the HTTP status is not the signed one', () => {
    for (const httpStatus of [200, 502, 559, 561]) {
      expect(verifyError(keys, REQUEST, signed, httpStatus)).toBeUndefined();
    }
  });

  it.each([
    ['status', (header: string) => header.replace('.560.', '.559.'), 559],
    ['p', (header: string) => header.replace('.560.0.', '.560.1.'), 560],
    ['time', (header: string) => header.replace('1767225600000', '1767225600001'), 560],
  ])('says nothing with another %s', (_field, change, httpStatus) => {
    const changed = change(signed);
    expect(changed).not.toBe(signed);
    expect(verifyError(keys, REQUEST, changed, httpStatus)).toBeUndefined();
  });

  it('says nothing with any character of its MAC changed', () => {
    for (let at = signed.lastIndexOf('.') + 1; at < signed.length; at += 1) {
      const forged = signed.slice(0, at) + (signed[at] === 'A' ? 'B' : 'A') + signed.slice(at + 1);
      expect(verifyError(keys, REQUEST, forged, 560)).toBeUndefined();
    }
  });
});

describe('an answer without a signed error', () => {
  it.each([
    ['no header', ''],
    ['the header of a sealed answer', '1.AgICAgICAgICAgICAgICAg'],
    ['the header of a pairing', '1'],
    ['an error without its MAC', signed.slice(0, signed.lastIndexOf('.'))],
    ['an error without a time', signed.replace('.1767225600000', '')],
    ['an error twice', `${signed}, ${signed}`],
    ['another version', signed.replace(/^1/, '2')],
    ['a status that is no relay error', signed.replace('.560.', '.500.')],
    ['a status of four digits', signed.replace('.560.', '.5600.')],
    ['p = 2', signed.replace('.560.0.', '.560.2.')],
    ['a time of 12 digits', signed.replace('1767225600000', '176722560000')],
    ['a space behind it', `${signed} `],
    ['a line behind it', `${signed}\n`],
  ])('says nothing: %s', (_name, header) => {
    expect(verifyError(keys, REQUEST, header, 560)).toBeUndefined();
  });
});

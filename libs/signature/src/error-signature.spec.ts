import { describe, expect, it } from 'vitest';

import { deriveSecretKeys } from '@relay/protocol';

import { signError, verifyError, type SignedError } from './error-signature.js';

const keys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
const otherKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-2');

const REQUEST = 'a53216a2.relay-a-1.NWO_0R_GoJL9ZT02cHFpoPFM2gHRQDPMdOq7h9HCnbY';
const OTHER_REQUEST = 'a53216a2.relay-a-1.fugrZafM7Cvg_nrLbqzqaU_rxyTupr08QBML1L7-EIQ';
const ERROR: SignedError = {
  status: 560,
  isNeverForwarded: true,
  unixMs: 1_767_225_600_000,
};
const signed = signError(keys, REQUEST, ERROR);

describe('a signed error', () => {
  it.each([559, 560, 561, 562, 563, 565, 566, 567, 568, 569])(
    'of status %i verifies with either value of p',
    (status) => {
      for (const isNeverForwarded of [true, false]) {
        const error = { ...ERROR, status, isNeverForwarded };
        const header = signError(keys, REQUEST, error);
        expect(verifyError(keys, REQUEST, header, status)).toEqual(error);
      }
    },
  );

  it('about a message verifies only with the proof of its session if p is 0, and whatever the session if p is 1', () => {
    const [proof, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const never = signError(keys, REQUEST, ERROR, proof);
    expect(verifyError(keys, REQUEST, never, 560, proof)).toEqual(ERROR);
    expect(verifyError(keys, REQUEST, never, 560, other)).toBeUndefined();
    expect(verifyError(keys, REQUEST, never, 560)).toBeUndefined();
    expect(verifyError(keys, REQUEST, signed, 560, proof)).toBeUndefined();
    const maybe = { ...ERROR, isNeverForwarded: false };
    expect(verifyError(keys, REQUEST, signError(keys, REQUEST, maybe), 560, proof)).toEqual(maybe);
  });

  it('does not verify for another request, or under another secret', () => {
    expect(verifyError(keys, OTHER_REQUEST, signed, 560)).toBeUndefined();
    expect(verifyError(otherKeys, REQUEST, signed, 560)).toBeUndefined();
  });

  it('does not verify if the HTTP status is not the signed status', () => {
    for (const httpStatus of [200, 502, 559, 561]) {
      expect(verifyError(keys, REQUEST, signed, httpStatus)).toBeUndefined();
    }
  });

  it.each([
    ['status', (header: string) => header.replace('.560.', '.559.'), 559],
    ['p', (header: string) => header.replace('.560.0.', '.560.1.'), 560],
    ['time', (header: string) => header.replace('1767225600000', '1767225600001'), 560],
  ])('does not verify with another %s', (_field, change, httpStatus) => {
    const changed = change(signed);
    expect(changed).not.toBe(signed);
    expect(verifyError(keys, REQUEST, changed, httpStatus)).toBeUndefined();
  });

  it('does not verify with any character of its MAC changed', () => {
    for (let at = signed.lastIndexOf('.') + 1; at < signed.length; at += 1) {
      const forged = signed.slice(0, at) + (signed[at] === 'A' ? 'B' : 'A') + signed.slice(at + 1);
      expect(verifyError(keys, REQUEST, forged, 560)).toBeUndefined();
    }
  });
});

describe('a relay header', () => {
  it.each([
    ['an empty header', ''],
    ['the header of a sealed response', '1.AgICAgICAgICAgICAgICAg'],
    ['the header of a pairing', '1'],
    ['an error without its MAC', signed.slice(0, signed.lastIndexOf('.'))],
    ['an error without a time', signed.replace('.1767225600000', '')],
    ['an error twice', `${signed}, ${signed}`],
    ['another version', signed.replace(/^1/, '2')],
    ['a status that is not a relay error', signed.replace('.560.', '.500.')],
    ['a status of four digits', signed.replace('.560.', '.5600.')],
    ['p = 2', signed.replace('.560.0.', '.560.2.')],
    ['a time of 12 digits', signed.replace('1767225600000', '176722560000')],
    ['a trailing space', `${signed} `],
    ['a trailing line break', `${signed}\n`],
  ])('is not a signed error: %s', (_name, header) => {
    expect(verifyError(keys, REQUEST, header, 560)).toBeUndefined();
  });
});

import { createHmac, scryptSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import { KeyRing } from './key-ring.js';
import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';

const first = 'the first secret of the key ring tests';
const second = 'the second secret of the key ring tests';

/**
 * Stretching a secret takes about 130 ms, so no secret is stretched more often than necessary, and all concurrently.
 */
let firstKeys: SecretKeys;
let secondKeys: SecretKeys;
let one: KeyRing;
let both: KeyRing;
let twice: KeyRing;

beforeAll(async () => {
  [firstKeys, secondKeys, one, both, twice] = await Promise.all([
    deriveSecretKeys(first),
    deriveSecretKeys(second),
    KeyRing.derive(first),
    KeyRing.derive(first, second),
    KeyRing.derive(first, first),
  ]);
});

describe('a key ring', () => {
  it('with one secret finds its keys, and signs with them', () => {
    expect(one.current).toEqual(firstKeys);
    expect(one.find(firstKeys.kid)).toBe(one.current);
  });

  it('with two secrets finds the keys of both, and signs with those of the first', () => {
    expect(both.current).toEqual(firstKeys);
    expect(both.find(firstKeys.kid)).toBe(both.current);
    expect(both.find(secondKeys.kid)).toEqual(secondKeys);
  });

  it('with the same secret twice finds the current keys', () => {
    expect(twice.current).toEqual(firstKeys);
    expect(twice.find(firstKeys.kid)).toBe(twice.current);
  });

  it('finds nothing for the kid of a secret that it does not hold', () => {
    const { kid } = firstKeys;
    for (const unknown of [secondKeys.kid, '', '00000000', kid.toUpperCase(), '__proto__']) {
      expect(one.find(unknown)).toBeUndefined();
    }
    expect(twice.find(secondKeys.kid)).toBeUndefined();
  });
});

describe('the keys of a secret', () => {
  it('differ for every label and every secret', async () => {
    const all = [firstKeys, secondKeys, await deriveSecretKeys(`${first} `)];
    const keys = all.flatMap(({ sender, error, store, psk }) => [sender, error, store, psk]);
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(12);
    expect(new Set(all.map(({ kid }) => kid)).size).toBe(3);
    expect(keys.every((key) => key.length === 32)).toBe(true);
  });

  it('are named by 8 lower-case hexadecimal digits', () => {
    for (const { kid } of [firstKeys, secondKeys]) {
      expect(kid).toMatch(/^[0-9a-f]{8}$/);
    }
  });

  it('are derived from the UTF-8 bytes of the secret', async () => {
    const [composed, decomposed] = await Promise.all(
      ['caf\xe9', 'cafe\u0301'].map(deriveSecretKeys),
    );
    const root = scryptSync(Buffer.from('caf\xc3\xa9', 'latin1'), 'mte-relay/1 root', 32, {
      N: 32_768,
      r: 8,
      p: 1,
      maxmem: 64 * 1024 * 1024,
    });
    expect(composed?.psk).toEqual(
      createHmac('sha256', root).update('mte-relay/1 psk\x01').digest(),
    );
    expect(decomposed?.psk).not.toEqual(composed?.psk);
  });

  it('are in a frozen object', () => {
    expect(Object.isFrozen(firstKeys)).toBe(true);
  });
});

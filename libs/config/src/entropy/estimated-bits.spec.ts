import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../test/support/lifecycle/property.js';
import { estimatedBits } from './estimated-bits.js';

/** What a secret needs in production. */
const ENOUGH = 96;
const { numRuns: RANDOM_SECRETS } = runs(1000);

describe('the estimated entropy exceeds 96 bits', () => {
  it.each([
    ['32 random bytes in base64url, as npm run secret prints them', 32, 'base64url'],
    ['16 random bytes in base64url', 16, 'base64url'],
    ['16 random bytes in base64', 16, 'base64'],
    ['24 random bytes in hexadecimal', 24, 'hex'],
    ['16 random bytes in hexadecimal', 16, 'hex'],
  ] as const)(`for ${RANDOM_SECRETS} times %s`, (_, bytes, encoding) => {
    const secrets = Array.from({ length: RANDOM_SECRETS }, () =>
      randomBytes(bytes).toString(encoding),
    );
    expect(secrets.filter((secret) => estimatedBits(secret) < ENOUGH)).toEqual([]);
  });

  it.each([
    'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
    'KQ7ZT1MXW9LRB4VNC8YP2HSJ',
    'tz4q-9vkd-x2mb-7whf-c3np-8ryj',
    'bd4f2c1e-9d4a-4f6b-8a7c-1e2d3f4a5b6c',
    'vT9$kw!2Lq#8xRz@5mN^7pB&',
    'secret-kq7Zt1mXw9LrB4vNc8Yp2Hs',
    'gfmrkzuvtbnwqjdhplxycseaoi-kzvbtmwq',
    'unclip-ravine-thaw-mothball-gusty-kelp-overdrive-squeak',
    'unclip-ravine-thaw-mothball-gusty-secret-overdrive-squeak-pebble',
    'ж4Ы9ц7Щ2ю8Эф6Ъб5Йз1Хд3Пл0Мк',
  ])('for the random %s', (secret) => {
    expect(estimatedBits(secret)).toBeGreaterThanOrEqual(ENOUGH);
  });
});

describe('the estimated entropy is below 96 bits', () => {
  it.each([
    ['one repeated character', 'a'.repeat(64)],
    ['one repeated sign', '!'.repeat(40)],
    ['a repeated pair', 'ab'.repeat(32)],
    ['a repeated block', 'kX9!kX9!kX9!kX9!kX9!kX9!kX9!kX9!'],
    ['a block repeated in another case', 'Xk7QmR2pxK7qMr2PXK7QMR2Pxk7qmr2p'],
    ['runs', 'aaaaaaaaaabbbbbbbbbbcccccccccc'],
    ['almost only zeros', '00000000000000000000000000000001'],
    ['two characters', '0101010101100101101010010110101101001011'],
    ['a formatted counter', '11111111-2222-3333-4444-555555555555'],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['the alphabet backwards', 'zyxwvutsrqponmlkjihgfedcba9876543210'],
    ['the alphabet in alternating case', 'AbCdEfGhIjKlMnOpQrStUvWxYz123456'],
    ['digits in order', '1234567890'.repeat(4)],
    ['interleaved sequences', 'a1b2c3d4e5f6g7h8i9j0a1b2c3d4e5f6'],
    ['doubled letters in order', 'aabbccddeeffgghhiijjkkllmmnnoopp'],
    ['rows of a keyboard', 'qwertyuiopasdfghjklzxcvbnm1234567890'],
    ['columns of a keyboard', '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9'],
    ['rows of another keyboard', 'qwertzuiopasdfghjklyxcvbnmazertyuiop'],
    ['a word and a sequence', 'secret123456789012345678901234567890'],
    ['a common password, repeated', 'P@ssw0rdP@ssw0rd2024!!!!'],
    ['a common password, counted', 'Password1Password2Password3!!'],
    ['a season and a year', 'Summer2024!Winter2025!Spring2026!'],
    ['words in hexadecimal', 'deadbeefcafebabedeadbeeffeedface'],
    ['words in camel case', 'SuperSecretTokenForProduction2024'],
    ['words with a sign', 'MteApiRelay#ClientIdSecret#2024'],
    ['words of other languages around a common one', 'MeinGeheimesPasswortFuerDenRelay'],
    ['words with separators', 'this-is-a-very-long-secret-for-the-relay'],
    ['words with numbers', 'acme-corp-eu-west-1-relay-secret-2'],
    ['words without separators', 'thisisaverylongsecretthatnobodywillguess'],
    ['a sentence', 'To be, or not to be, that is the question'],
    ['a pangram', 'The quick brown fox jumps over the lazy dog'],
    ['a well-known passphrase', 'correct horse battery staple'],
    ['a passphrase of six words', 'mothball-gusty-secret-squeak-ravine-overdrive'],
    ['too few random characters', 'kq7Zt1mXw9LrB4vN'],
    ['too few random digits', '83610975234410872659'],
    ['nothing', ''],
  ])('for %s: %s', (_, secret) => {
    expect(estimatedBits(secret)).toBeLessThan(ENOUGH);
  });

  it.each([
    'YOUR_CLIENT_ID_SECRET_AT_LEAST_32_CHARACTERS',
    'your-client-id-secret-at-least-32-characters',
    'YourClientIdSecretAtLeast32Characters',
    'Y0UR_CL13NT_1D_S3CR3T_4T_L34ST_32_CH4R4CT3RS',
    'MY_CLIENT_ID_SECRET_AT_LEAST_32_CHARACTERS_2024',
    '"YOUR_CLIENT_ID_SECRET_AT_LEAST_32_CHARACTERS"',
    'YOUR_CLIENT_ID_SECRET_1',
    'YOUR_CLIENT_ID_SECRET'.repeat(3),
    'YOUR_OUTBOUND_TOKEN_YOUR_OUTBOUND_TOKEN',
    'your_secure_outbound_access_token!',
    'xxYOUR_SECURE_OUTBOUND_ACCESS_TOKENxx',
    'replace-this-with-a-long-random-secret-before-production',
    'changeme-changeme-changeme-changeme',
    '<insert your secret token here, please>',
    'FILL IN: generate a random value of 32 bytes',
  ])('for the placeholder %s', (secret) => {
    expect(estimatedBits(secret)).toBeLessThan(ENOUGH);
  });
});

it('a secret of any length and of any characters is estimated quickly', () => {
  expect(estimatedBits('a'.repeat(10_000_000))).toBeLessThan(ENOUGH);
  expect(estimatedBits('İ\u{1F600}\ud800\u0000'.repeat(1000))).toBeLessThan(ENOUGH);
  expect(estimatedBits(randomBytes(1_000_000).toString('base64'))).toBeGreaterThan(1000);
});

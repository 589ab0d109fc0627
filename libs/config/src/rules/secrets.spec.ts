import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../test/support/lifecycle/property.js';
import { loadConfig } from '../load-config.js';
import { Refused } from './rule.js';
import { DOCUMENTED_PLACEHOLDERS, secret, token } from './secrets.js';

describe('a secret', () => {
  it.each(['a'.repeat(16), 'with blanks inside it', 'ключ-из-16-знаков'])('may be %j', (text) => {
    expect(secret(text)).toBe(text);
  });

  it.each(['a'.repeat(15), '😀'.repeat(15), ` ${'a'.repeat(16)}`, `${'a'.repeat(16)}\n`])(
    'is not %j',
    (text) => {
      expect(secret(text)).toBeInstanceOf(Refused);
    },
  );

  it('that consists of white space is refused for both reasons', () => {
    expect((secret(' '.repeat(20)) as Refused).problems).toEqual([
      'must not begin or end with white space',
      'must be at least 16 characters long',
    ]);
  });
});

describe('a token', () => {
  it.each(['12345678', '!~"#,;=12'])('may be %j', (text) => {
    expect(token(text)).toBe(text);
  });

  it.each(['1234567', '1234 5678', ' 12345678', '12345678\t', 'pässword', '12345678\u007f'])(
    'is not %j',
    (text) => {
      expect(token(text)).toBeInstanceOf(Refused);
    },
  );
});

const environment = {
  UPSTREAM: 'http://localhost:3000',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'X3vB8mQz1LkT6wRn9YdC2hJp',
  REDIS_URL: 'memory://',
};
const variables = [
  ...['CLIENT_ID_SECRET', 'CLIENT_ID_SECRET_ALT', 'OUTBOUND_TOKEN', 'OUTBOUND_TOKEN_ALT'],
] as const;

describe('a weak secret or token', () => {
  it.each(variables)('is refused in production, without its value: %s', (name) => {
    const value = 'the-secret-of-our-two-relays-2024';
    const load = (NODE_ENV: string) => loadConfig({ ...environment, NODE_ENV, [name]: value });
    expect(load('').warnings.filter((line) => line.startsWith(`${name} has`))).toHaveLength(1);
    for (const production of ['production', 'Production', 'production ']) {
      expect(() => load(production)).toThrow(
        expect.objectContaining({
          problems: [
            `${name} must have an estimated entropy of 96 bits or more when NODE_ENV is production: make one with openssl rand -base64 32`,
          ],
        }),
      );
    }
  });

  it('that breaks another rule is reported for that rule alone', () => {
    const short = { ...environment, NODE_ENV: 'production', CLIENT_ID_SECRET: 'aaaa' };
    expect(() => loadConfig(short)).toThrow(
      expect.objectContaining({
        problems: ['CLIENT_ID_SECRET must be at least 16 characters long'],
      }),
    );
  });

  it('is never one that npm run secret prints', () => {
    const script = join(import.meta.dirname, '../../../../bin/commands/secret.js');
    const { numRuns } = runs(5);
    for (let run = 0; run < numRuns; run += 1) {
      const printed = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
      const all = Object.fromEntries(variables.map((name) => [name, printed]));
      const { config } = loadConfig({ ...environment, ...all, NODE_ENV: 'production' });
      expect(config.clientIdSecret).toBe(printed);
    }
  });
});

describe('a documented placeholder', () => {
  const cases = variables.flatMap((name) =>
    DOCUMENTED_PLACEHOLDERS.flatMap((text) => [
      [name, text],
      [name, text.toLowerCase()],
    ]),
  ) as [string, string][];

  it.each(cases)('is refused only in production: %s=%s', (name, value) => {
    const load = (NODE_ENV: string) => loadConfig({ ...environment, NODE_ENV, [name]: value });
    expect(load('development').config.nodeEnv).toBe('development');
    expect(() => load('production')).toThrow(
      expect.objectContaining({
        problems: [expect.stringMatching(`^${name} must not be a documented placeholder`)],
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
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

describe('a documented placeholder', () => {
  const environment = {
    UPSTREAM: 'http://localhost:3000',
    CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
    OUTBOUND_TOKEN: 'token-of-28-characters-long!',
    REDIS_URL: 'memory://',
  };
  const variables = [
    ...['CLIENT_ID_SECRET', 'CLIENT_ID_SECRET_ALT', 'OUTBOUND_TOKEN', 'OUTBOUND_TOKEN_ALT'],
  ];
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

import { describe, expect, it } from 'vitest';
import { Refused } from './rule.js';
import { baseUrl, origin } from './url.js';

const NEITHER = [
  '',
  'host',
  'ftp://host',
  'http:host',
  'http:///host',
  'http://',
  'http:\\\\host',
  'http://user@host',
  'http://user:pass@host',
  'http://@host',
  'http://host?',
  'http://host/?a=b',
  'http://host#',
  'http://host:99999',
  'http://*.host',
  ' http://host',
  'http://host ',
  'http://ho st',
  'http://host\\evil',
  'http://host/\n',
];

describe('an origin', () => {
  it.each([
    ['http://host', 'http://host'],
    ['HTTP://HOST:80/', 'http://host'],
    ['https://host:8443', 'https://host:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://[::1]:1', 'http://[::1]:1'],
  ])('%s becomes %s', (text, normal) => {
    expect(origin(text)).toBe(normal);
  });

  it.each([...NEITHER, 'http://host/path', 'http://host//', 'http://host/.', 'http://host/..'])(
    'is not %j',
    (text) => {
      expect(origin(text)).toBeInstanceOf(Refused);
    },
  );
});

describe('a base URL', () => {
  it.each([
    ['http://host/', 'http://host'],
    ['http://host/base/', 'http://host/base'],
    ['http://host/@scope/a;b=1,c', 'http://host/@scope/a;b=1,c'],
    ['http://host/..a/b..', 'http://host/..a/b..'],
  ])('%s becomes %s', (text, normal) => {
    expect(baseUrl(text)).toBe(normal);
  });

  it.each([
    ...NEITHER,
    'http://host//',
    'http://host/a//',
    'http://host/a//b',
    'http://host/./a',
    'http://host/a/..',
    'http://host/a/../',
    'http://host/%2e%2e/a',
    'http://host/a\\b',
    'http://host/a b',
    'http://host/é',
    'http://host/<a>',
  ])('is not %j', (text) => {
    expect(baseUrl(text)).toBeInstanceOf(Refused);
  });
});

import { expect, it } from 'vitest';
import { route } from './routes.js';
import { Refused } from './rule.js';

it.each(['/', '/*', '/a', '/a/', '/a/b*', '/a/*', '/.well-known/x', '/a..b/c..', '/a~!$&()+;=:@'])(
  '%j is a route',
  (text) => {
    expect(route(text)).toBe(text);
  },
);

it.each([
  ...['', '*', 'a', 'a/b', '//', '//a', '/a//b', '/a//*', '/.', '/..', '/a/./b', '/a/../b'],
  ...[
    '/...',
    '/a/..b/*',
    '/a/..;x',
    '/a/.;x',
    '/.*',
    '/a/..*',
    '/**',
    '/*/a',
    '/a*b',
    '/a b',
    '/a\tb',
    '/é',
    '/a\u007f',
    '/a\\b',
  ],
  ...['/a#b', '/a?b', '/%2e%2e/a', '/a%'],
])('%j is not a route', (text) => {
  expect(route(text)).toBeInstanceOf(Refused);
});

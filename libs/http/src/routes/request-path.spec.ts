import { describe, expect, it } from 'vitest';

import { canonicalPath, hasDotSegment } from './request-path.js';
import { RouteList } from './route-list.js';

describe('a dot segment', () => {
  it.each([
    '/..',
    '/.',
    '/a/..',
    '/a/../b',
    '/a/./b',
    '/%2e%2e/b',
    '/%2E./b',
    '/.%2e/b',
    '/%2e/b',
    '/a%2f..%2fb',
    '/a%2F%2e%2e%2Fb',
    '/a%5c..%5cb',
    '/a\\..\\b',
    '/a/..;x=1/b',
    '/a/.;/b',
    '/a/..?q',
  ])('is found in %s', (path) => {
    expect(hasDotSegment(path)).toBe(true);
    expect(canonicalPath(path)).toBeUndefined();
  });

  it.each([
    '/',
    '/a.b',
    '/...',
    '/a..b/',
    '/.well-known/x',
    '/a?../b',
    '/a?x=/../',
    '/..a',
    '/a..',
  ])('is not found in %s', (path) => {
    expect(hasDotSegment(path)).toBe(false);
  });
});

describe('the canonical path', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/a?b=/c', '/a'],
    ['/%61b', '/ab'],
    ['/%41', '/A'],
    ['/caf%C3%A9', '/caf\u00e9'],
    ['/a%20b', '/a b'],
    ['/a;b=1', '/a;b=1'],
  ])('of %s is %s', (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });

  it.each([
    ['an empty segment', '/a//b'],
    ['an encoded slash', '/a%2Fb'],
    ['an encoded backslash', '/a%5Cb'],
    ['a backslash', '/a\\b'],
    ['an encoded zero octet', '/a%00'],
    ['an escape without hex digits', '/a%zz'],
    ['an incomplete escape', '/a%2'],
    ['escapes that are not UTF-8', '/a%c3%28'],
    ['an overlong dot', '/%c0%ae%c0%ae/b'],
    ['an escape within an escape', '/a%252fb'],
    ['dots within an escape', '/%252e%252e/b'],
  ])('does not exist for %s', (_what, path) => {
    expect(canonicalPath(path)).toBeUndefined();
  });
});

describe('a list of routes', () => {
  const routes = new RouteList(['/exact', '/public/*', '/v1*']);

  it.each(['/exact', '/exact?q=1', '/%65xact', '/public/', '/public/a/b', '/v1', '/v1/a', '/v11'])(
    'matches %s',
    (path) => {
      expect(routes.matches(path)).toBe(true);
    },
  );

  it.each([
    '/exact/',
    '/Exact',
    '/exac',
    '/public',
    '/publics',
    '/',
    '/public/../exact',
    '/public/%2e%2e/admin',
    '/public/..%2fadmin',
    '/public/..;/admin',
    '/public//admin',
    '/public%2fa',
    '/public/%',
    '//public/a',
    '*',
  ])('does not match %s', (path) => {
    expect(routes.matches(path)).toBe(false);
  });

  it('with the entry /* matches every path that has a canonical form', () => {
    const all = new RouteList(['/*']);
    expect(all.matches('/anything?x')).toBe(true);
    expect(all.matches('/a/../b')).toBe(false);
  });

  it('matches nothing if it is empty', () => {
    expect(new RouteList([]).matches('/')).toBe(false);
  });
});

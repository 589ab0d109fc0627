import { describe, expect, it } from 'vitest';

import { judgePath } from './request-path.js';
import { RouteList } from './route-list.js';

const refusalOf = (path: string) => judgePath(path).refusal;
const canonicalOf = (path: string) => judgePath(path).canonical;

describe('a path that could lead outside', () => {
  it.each([
    ['dots', '/a/../b'],
    ['one dot', '/a/./b'],
    ['encoded dots', '/%2e%2E/b'],
    ['dots between encoded slashes', '/a%2f..%2Fb'],
    ['dots between backslashes', '/a\\..\\b'],
    ['dots with a parameter', '/a/..;x=1/b'],
    ['dots with an encoded parameter', '/a/..%3b/b'],
    ['one dot with a parameter', '/a/.;x/b'],
    ['a dot before a dropped octet', '/a/.%ff./b'],
    ['a slash of a Windows code page', '/a%e2%88%95../b'],
    ['dots with a blank', '/a/..%20/b'],
    ['dots at its end', '/a/..?q'],
    ['dots encoded four times', '/%2525252e./b'],
    ['a control character', '/a%0ab'],
    ['a control character of U+0080 to U+009F', '/a%c2%85b'],
    ['an overlong dot', '/%c0%ae./b'],
    ['an overlong letter', '/%c1%a1'],
    ['a fullwidth dot', '/%ef%bc%8e./b'],
    ['an escape of UTF-16', '/a%u0041'],
    ['an escape of UTF-16 within an escape', '/a%25u0041'],
    ['an escape of fullwidth characters', '/%ef%bc%852e%ef%bc%852e'],
    ['an octet beyond ASCII', '/caf\xe9'],
    ['a character beyond latin1', '/\u2025'],
    ['a raw control character', '/a\nb'],
    ['a raw blank', '/a b'],
  ])('has %s', (_what, path) => {
    expect(refusalOf(path)).toMatch(/^the path has /);
    expect(canonicalOf(path)).toBeUndefined();
  });

  it('has escapes within escapes, more than four deep', () => {
    expect(refusalOf('/a%25252525')).toBeUndefined();
    expect(refusalOf('/a%2525252525')).toMatch(/ deep$/);
  });

  it('is refused for a reason that tells what it has', () => {
    const paths = ['/a%00/x', '/%c0%ae', '/a/..%3b', '/%u0041', '/caf\xe9', '/%25252525252525'];
    expect(new Set(paths.map(refusalOf)).size).toBe(paths.length);
  });

  it.each([
    '/',
    '/a.b',
    '/a..b/',
    '/a../b',
    '/.well-known/x',
    '/a?../b',
    '/a?x=/../%00',
    '/a//b',
    '/a%2fb',
    '/%zz',
    '/a%20',
    '/%ff',
  ])('is not %s', (path) => {
    expect(refusalOf(path)).toBeUndefined();
  });

  it('has a character that becomes a dot, dots, a slash or a backslash by NFKC', () => {
    const missed: string[] = [];
    for (let code = 0x80; code <= 0x10_ff_ff; code += code === 0xd7_ff ? 0x8_01 : 1) {
      const character = String.fromCodePoint(code);
      const folded = character.normalize('NFKC');
      const path =
        (folded === '.' && `/${character}${character}`) ||
        (folded.startsWith('..') && `/${character}`) ||
        (folded === ';' && `/.${character}`) ||
        (/[/\\]$/.test(folded) && `/a${character}..`) ||
        (/^[%.]$/.test(folded) && `/${character}2e.`);
      if (path !== false && refusalOf(encodeURI(path)) === undefined) {
        missed.push(code.toString(16));
      }
    }
    expect(missed).toEqual([]);
  });

  it('is recognised in a path of 64 KiB without a search that grows quadratically', () => {
    const fillings = [
      '%2525',
      '/.x',
      '%20',
      '%ef%bc%8f',
      '/%20%20',
      '%c2%ad',
      '/%20.%',
      '%ef%b7%ba',
    ];
    const begin = performance.now();
    for (const filling of fillings) {
      judgePath(`/${filling.repeat(65_536 / filling.length)}`);
      expect(refusalOf(`/${filling.repeat(65_536 / filling.length)}/..`)).toBeDefined();
    }
    expect(performance.now() - begin).toBeLessThan(10_000);
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
    ['/a.b', '/a.b'],
  ])('of %s is %s', (path, canonical) => {
    expect(canonicalOf(path)).toBe(canonical);
  });

  it.each([
    ['an empty segment', '/a//b'],
    ['an empty segment beside an escape', '/a//b%20'],
    ['an encoded slash', '/a%2Fb'],
    ['an encoded backslash', '/a%5Cb'],
    ['a backslash', '/a\\b'],
    ['an escape without hex digits', '/a%zz'],
    ['an incomplete escape', '/a%2'],
    ['escapes that are not UTF-8', '/a%c3%28'],
    ['an escape within an escape', '/a%252fb'],
  ])('does not exist for %s', (_what, path) => {
    expect(judgePath(path)).toEqual({ refusal: undefined, canonical: undefined });
  });
});

describe('a list of routes', () => {
  const routes = new RouteList(['/exact', '/public/*', '/v1*']);

  it.each(['/exact', '/exact?q=1', '/%65xact', '/public/', '/public/a/b', '/v1', '/v1/a', '/v11'])(
    'matches %s',
    (path) => {
      expect(routes.matches(judgePath(path))).toBe(true);
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
    '/public/..%3b/admin',
    '/public//admin',
    '/public%2fa',
    '/public/%',
    '//public/a',
    '*',
  ])('does not match %s', (path) => {
    expect(routes.matches(judgePath(path))).toBe(false);
  });

  it('with the entry /* matches every path that has a canonical form', () => {
    const all = new RouteList(['/*']);
    expect(all.matches(judgePath('/anything?x'))).toBe(true);
    expect(all.matches(judgePath('/a/../b'))).toBe(false);
  });

  it('matches nothing if it is empty', () => {
    expect(new RouteList([]).matches(judgePath('/'))).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../../test/support/lifecycle/property.js';
import { judgePath } from './request-path.js';
import { RouteList } from './route-list.js';

const DOTS = ['.', '.', '%2e', '%252e', '%%32e', '%u002e', '%c0%ae', '%c0%2e', '%e0%80%ae'];
const FOLDED_DOTS = ['%ef%bc%8e', '%e2%80%a4', '%e2%80%a5', '%ef%bc%852e', '%ef%25bc%8e'];
const SLASHES = ['/', '/', '//', '%2f', '%252f', '%5C', '%u2215', '%c0%af', '%ef%bc%8f', '%c2%a5'];
const DROPPED = ['%20', '%c2%a0', '%00', '%0a', '%c2%85', '%ff', '%e2%80%8b', '%', 'a'];
const TAKEN_OFF = [
  '',
  '',
  '%20',
  '%00',
  '%0d%0a',
  ';',
  ';x=1',
  '%3b',
  '%ef%bc%9b',
  '%3f',
  '.',
  ':x',
];

const dot = fc.constantFrom(...DOTS, ...FOLDED_DOTS);
const slash = fc.constantFrom(...SLASHES);
const rarely = (strings: readonly string[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant('') }, fc.constantFrom(...strings));
/** What some server may read as `/../`. */
const climb = fc
  .tuple(slash, rarely(DROPPED), dot, rarely(DROPPED), dot, rarely(TAKEN_OFF), slash)
  .map((parts) => parts.join(''));
const part = fc.oneof(
  fc.constantFrom(...DOTS, ...FOLDED_DOTS, ...SLASHES, ...DROPPED, ...TAKEN_OFF),
  fc.constantFrom('api', 'admin', '%25', '%zz', '%c3%a9', '?', '\\', 'é', '*', '~', '2e', ' '),
);
const paths = fc.oneof(
  fc.array(part, { maxLength: 12 }).map((parts) => `/${parts.join('')}`),
  fc.array(part, { maxLength: 8 }).map((parts) => `/api/${parts.join('')}`),
  fc.array(climb, { minLength: 2, maxLength: 2 }).map((climbs) => `/api${climbs.join('')}admin`),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => `/api/${text}`),
);

/** What one server, or one proxy before it, does to a path. Strings are octets in latin1, as on the wire. */
type Habit = (path: string) => string;

const octets = (text: string): string => Buffer.from(text).toString('latin1');
const text = (path: string): string => Buffer.from(path, 'latin1').toString();
const codePoint = (code: number): string => octets(String.fromCodePoint(code));
const eachSegment =
  (habit: Habit): Habit =>
  (path) =>
    path.split('/').map(habit).join('/');

/** Habits of lax servers, each as simple as it can be written. */
const HABITS: Readonly<Record<string, Habit>> = {
  decodes: (path) =>
    path.replaceAll(/%([\dA-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
  'decodes %u': (path) =>
    path.replaceAll(/%u([\dA-Fa-f]{4})/gi, (_, hex: string) =>
      octets(String.fromCharCode(Number.parseInt(hex, 16))),
    ),
  'decodes two octets without a check': (path) =>
    path.replaceAll(/[\xc0-\xdf]([^])/g, (pair: string) =>
      codePoint(((pair.charCodeAt(0) & 31) << 6) | (pair.charCodeAt(1) & 63)),
    ),
  'decodes three octets without a check': (path) =>
    path.replaceAll(/[\xe0-\xef][^]{2}/g, (three: string) =>
      codePoint(
        ((three.charCodeAt(0) & 15) << 12) |
          ((three.charCodeAt(1) & 63) << 6) |
          (three.charCodeAt(2) & 63),
      ),
    ),
  'reads backslashes as slashes': (path) => path.replaceAll('\\', '/'),
  'takes parameters off': eachSegment((segment) => segment.split(';')[0]!),
  'takes trailing dots and blanks off': eachSegment((segment) =>
    /^\.{1,2}$/.test(segment) ? segment : segment.replace(/[. ]+$/, ''),
  ),
  'takes one trailing dot off': eachSegment((segment) =>
    segment.length > 2 ? segment.replace(/\.$/, '') : segment,
  ),
  'trims segments': eachSegment((segment) => octets(text(segment).trim())),
  'takes streams off': eachSegment((segment) => segment.split(':')[0]!),
  'drops control characters': (path) => octets(text(path).replaceAll(/\p{Cc}/gu, '')),
  'drops what is not displayed': (path) =>
    octets(text(path).replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')),
  'drops what is not UTF-8': (path) => octets(text(path).replaceAll('\ufffd', '')),
  'drops percent signs that begin no escape': (path) =>
    path.replaceAll(/%(?!u?[\dA-Fa-f]{2})/g, ''),
  'ends at a zero octet': (path) => path.split('\0')[0]!,
  'ends at a line break': (path) => path.split(/[\r\n]/)[0]!,
  'ends at a decoded query': (path) => path.split(/[?#]/)[0]!,
  'normalises Unicode': (path) => octets(text(path).normalize('NFKC')),
  'converts to the code page of Japanese Windows': (path) =>
    octets(
      text(path)
        .replaceAll(/[\u2044\u2215\uff0f]/g, '/')
        .replaceAll(/[\xa5\uff3c]/g, '\\'),
    ),
  'takes ../ out once': (path) => path.replaceAll('../', ''),
  'merges slashes': (path) => path.replaceAll(/\/+/g, '/'),
};

/** A server is the order of some habits; a habit may occur twice, as that of a proxy and as that of the API. */
const servers = fc.shuffledSubarray([...Object.keys(HABITS), ...Object.keys(HABITS)]);

/** Where a server finds a path: after its habits, RFC 3986 section 5.2.4, with empty segments dropped. */
function placeOf(path: string, server: readonly string[]): string {
  const read = server.reduce((reading, habit) => HABITS[habit]!(reading), path.split('?')[0]!);
  const kept: string[] = [];
  for (const segment of read.split('/')) {
    if (segment === '..') {
      kept.pop();
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}

const isUnder = (path: string, prefix: string): boolean =>
  path === prefix.slice(0, -1) || path.startsWith(prefix);

const options = { ...runs(3_000), maxSkipsPerRun: 10_000 };
const timeout = 600_000;

describe('a path that matches a route', () => {
  it('is under that route, whatever the habits of the server', { timeout }, () => {
    let matched = 0;
    const routes = new RouteList(['/api/*']);
    fc.assert(
      fc.property(paths, servers, (path, server) => {
        fc.pre(routes.matches(judgePath(path)));
        matched += 1;
        expect(isUnder(placeOf(path, server), '/api/')).toBe(true);
      }),
      options,
    );
    expect(matched).toBeGreaterThan(0);
  });

  it('is not refused, and decoding it again changes nothing', { timeout }, () => {
    fc.assert(
      fc.property(paths, (path) => {
        const { refusal, canonical } = judgePath(path);
        fc.pre(canonical !== undefined);
        expect(refusal).toBeUndefined();
        expect(canonical.startsWith('/')).toBe(true);
        expect(canonical).not.toMatch(/\/\/|\\|\p{Cc}|%[0-9a-f]{2}/iu);
      }),
      options,
    );
  });
});

describe('a path that is not refused', () => {
  it('does not leave a base path, whatever the habits of the server', { timeout }, () => {
    fc.assert(
      fc.property(paths, servers, (path, server) => {
        fc.pre(judgePath(path).refusal === undefined);
        expect(isUnder(placeOf(`/base${path}`, server), '/base/')).toBe(true);
      }),
      options,
    );
  });
});

describe('the servers of these properties', () => {
  it.each([
    ['/base/..%3b/admin', ['decodes', 'takes parameters off']],
    ['/base/%252e%252e/admin', ['decodes', 'decodes']],
    ['/base/.%0a./admin', ['decodes', 'drops control characters']],
    ['/base/..%20/admin', ['decodes', 'trims segments']],
    ['/base/%c0%ae%c0%ae/admin', ['decodes', 'decodes two octets without a check']],
    ['/base/%ef%bc%8e%ef%bc%8e/admin', ['decodes', 'normalises Unicode']],
    ['/base/%u002e%u002e/admin', ['decodes %u']],
    ['/base/....//admin', ['takes ../ out once']],
    ['/base/..%00/admin', ['decodes', 'ends at a zero octet']],
    ['/base/..%5cadmin', ['decodes', 'reads backslashes as slashes']],
    ['/base/.../admin', ['takes one trailing dot off']],
    ['/base/.%./admin', ['drops percent signs that begin no escape']],
    ['/base/.%ff./admin', ['decodes', 'drops what is not UTF-8']],
    ['/base/.%c2%ad./admin', ['decodes', 'drops what is not displayed']],
  ])('find %s outside the base path', (path, server) => {
    expect(isUnder(placeOf(path, server), '/base/')).toBe(false);
  });
});

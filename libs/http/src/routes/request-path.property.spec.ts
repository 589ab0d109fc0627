import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../../test/support/lifecycle/property.js';
import { canonicalPath, hasDotSegment } from './request-path.js';
import { RouteList } from './route-list.js';

const part = fc.constantFrom(
  ...['/', '//', '.', '..', 'api', 'open', 'a', ';x=1', '%2e', '%2E', '%2f', '%5C', '\\', '%252e'],
  ...['%', '%zz', '%00', '%c3%a9', '%ff', '?', '?/../', '+', '~', 'é', '*', ' '],
);
const paths = fc.oneof(
  fc.array(part, { maxLength: 12 }).map((parts) => `/${parts.join('')}`),
  fc.array(part, { maxLength: 8 }).map((parts) => `/api/${parts.join('')}`),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => `/${text}`),
);

/** All the ways in which a server might interpret a path: decoded or not, with its segments resolved. */
function readingsOf(path: string): string[] {
  const [raw = ''] = path.split('?');
  const readings = [raw, raw.replaceAll('\\', '/')];
  for (let depth = 0; depth < 3; depth += 1) {
    try {
      readings.push(decodeURIComponent(readings.at(-1) ?? ''));
    } catch {
      // A server that decodes this often would respond 400.
      break;
    }
  }
  return readings.map((reading) => resolved(reading));
}

/** RFC 3986 section 5.2.4; empty segments are removed, as many servers do. */
function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.replaceAll('\\', '/').split('/')) {
    const [name = ''] = segment.split(';');
    if (name === '..') {
      kept.pop();
    } else if (name !== '.' && name !== '') {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}

const isUnder = (path: string, prefix: string): boolean =>
  path === prefix.slice(0, -1) || path.startsWith(prefix);

describe('a path that matches a route', () => {
  it('is under that route, however a server interprets it', () => {
    let matched = 0;
    const routes = new RouteList(['/api/*']);
    fc.assert(
      fc.property(paths, (path) => {
        fc.pre(routes.matches(path));
        matched += 1;
        for (const reading of readingsOf(path)) {
          expect(isUnder(reading, '/api/'), reading).toBe(true);
        }
      }),
      { ...runs(1_000), maxSkipsPerRun: 10_000 },
    );
    expect(matched).toBeGreaterThan(0);
  });

  it('has no dot segment, and decoding it again changes nothing', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const canonical = canonicalPath(path);
        fc.pre(canonical !== undefined);
        expect(hasDotSegment(path)).toBe(false);
        expect(hasDotSegment(canonical)).toBe(false);
        expect(canonical.startsWith('/')).toBe(true);
        expect(canonical).not.toMatch(/\/\/|\\|\0|%[0-9a-f]{2}/i);
      }),
      { ...runs(1_000), maxSkipsPerRun: 10_000 },
    );
  });
});

describe('a path without dot segments', () => {
  it('does not leave a base path, however a server interprets it', () => {
    fc.assert(
      fc.property(paths, (path) => {
        fc.pre(!hasDotSegment(path));
        const [once] = readingsOf(`/base${path}`);
        expect(isUnder(once ?? '', '/base/')).toBe(true);
      }),
      { ...runs(1_000), maxSkipsPerRun: 10_000 },
    );
  });
});

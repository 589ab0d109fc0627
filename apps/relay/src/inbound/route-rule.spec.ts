import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { PathRefusedError, RouteUnknownError } from './inbound.errors.js';
import { RouteRule } from './route-rule.js';

const DOTTED = ['/a/../b', '/./a', '/%2e%2e/a', '/a%2f..%2fb', '/a/..;x/b', '/a/..?b'];

describe('without MTE_ROUTES', () => {
  it('every path is forwarded to an upstream that has no base path', () => {
    const rule = new RouteRule(relayConfig({ UPSTREAM: 'http://127.0.0.1:9' }));
    for (const path of ['/', '/a?b=../c', '/a//b', '/%zz', ...DOTTED]) {
      expect(rule.refusalOf(path)).toBeUndefined();
    }
  });

  it('no path that could lead outside the base path is forwarded', () => {
    const rule = new RouteRule(relayConfig({ UPSTREAM: 'http://127.0.0.1:9/base' }));
    for (const path of DOTTED) {
      expect(rule.refusalOf(path)).toBeInstanceOf(PathRefusedError);
    }
    for (const path of ['/', '/a?b=../c', '/a..b', '/...']) {
      expect(rule.refusalOf(path)).toBeUndefined();
    }
  });
});

describe('with MTE_ROUTES', () => {
  const rule = new RouteRule(relayConfig({ MTE_ROUTES: '/api/*, /login' }));

  it.each(['/api/', '/api/a/b?c', '/login', '/login?next=/admin', '/%6cogin'])(
    '%s is forwarded to the upstream',
    (path) => {
      expect(rule.refusalOf(path)).toBeUndefined();
    },
  );

  it.each(['/', '/api', '/admin', '/login/', '/Login', '/api//a', '/api%2fa', '/api/%252e%252e/a'])(
    '%s is refused as an unknown route',
    (path) => {
      expect(rule.refusalOf(path)).toBeInstanceOf(RouteUnknownError);
    },
  );

  it.each(['/api/../admin', '/api/%2e%2e/admin', '/login/.', '/api/..%5cadmin'])(
    '%s is refused because of its dot segments',
    (path) => {
      expect(rule.refusalOf(path)).toBeInstanceOf(PathRefusedError);
    },
  );
});

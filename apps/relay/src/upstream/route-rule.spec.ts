import { describe, expect, it } from 'vitest';

import {
  PATH_FORMS,
  ROUTES_OF_FORMS,
  targetsWith,
} from '../../../../test/support/http-cases/path-forms.js';
import { relayConfig } from '../../../../test/support/relays/config.js';
import { settingsOf } from '../../../../test/support/relays/directory.js';
import { PathRefusedError, RouteUnknownError } from './upstream.errors.js';
import { RouteRule } from './route-rule.js';

const UPSTREAM = 'http://127.0.0.1:9';

const head = (path: string) =>
  ({ method: 'GET', scheme: 'http', authority: '', path, fields: [] }) as const;

describe('without MTE_ROUTES', () => {
  it('every path is forwarded to an upstream that has no base path', () => {
    const rule = new RouteRule(settingsOf(relayConfig({ UPSTREAM })));
    for (const [path] of PATH_FORMS) {
      expect(rule.refusalOf(head(path)), path).toBeUndefined();
    }
  });
});

describe('with a base path', () => {
  const rule = new RouteRule(settingsOf(relayConfig({ UPSTREAM: `${UPSTREAM}/base` })));

  it.each(targetsWith(200, 'basePath'))('%s is forwarded to the upstream', (path) => {
    expect(rule.refusalOf(head(path))).toBeUndefined();
  });

  it.each(targetsWith(400, 'basePath'))('%s is refused: it could lead outside', (path) => {
    expect(rule.refusalOf(head(path))).toBeInstanceOf(PathRefusedError);
  });

  it('a refusal does not quote the path', () => {
    for (const path of targetsWith(400, 'basePath')) {
      expect(rule.refusalOf(head(path))?.message).not.toContain(path);
    }
  });
});

describe('with MTE_ROUTES', () => {
  const routes = { MTE_ROUTES: ROUTES_OF_FORMS };
  const rule = new RouteRule(settingsOf(relayConfig({ UPSTREAM, ...routes })));

  it.each(targetsWith(200, 'mteRoutes'))('%s is forwarded to the upstream', (path) => {
    expect(rule.refusalOf(head(path))).toBeUndefined();
  });

  it.each(targetsWith(404, 'mteRoutes'))('%s is refused as an unknown route', (path) => {
    expect(rule.refusalOf(head(path))).toBeInstanceOf(RouteUnknownError);
  });

  it.each(targetsWith(400, 'mteRoutes'))('%s is refused: it could lead outside', (path) => {
    expect(rule.refusalOf(head(path))).toBeInstanceOf(PathRefusedError);
  });

  it('a base path changes nothing', () => {
    const based = new RouteRule(
      settingsOf(relayConfig({ UPSTREAM: `${UPSTREAM}/base`, ...routes })),
    );
    for (const [path] of PATH_FORMS) {
      expect(based.refusalOf(head(path))?.code, path).toBe(rule.refusalOf(head(path))?.code);
    }
  });
});

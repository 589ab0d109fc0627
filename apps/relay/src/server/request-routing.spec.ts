import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { OUTBOUND_ROUTE, PASS_THROUGH_ROUTE, TUNNEL_ROUTE, routingOf } from './request-routing.js';

const TOKEN = { 'x-mte-outbound-token': 'token' };
const RELAY = { 'x-mte-relay': '1.E2uOwaOy1rJ0iSmtbBjUiw.1.0.mke.AQEBAQEBAQEBAQEBAQEBAQ' };

function routing(
  method: string,
  url: string,
  headers: Record<string, string> = {},
): ReturnType<typeof routingOf> {
  const request = new IncomingMessage(new Socket());
  return routingOf(Object.assign(request, { method, url, headers }));
}

const routeOf = (method: string, url: string, headers: Record<string, string> = {}): string =>
  routing(method, url, headers).route;

describe('a request with a token', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/api/mte-relay'],
    ['HEAD', '/api/mte-relay'],
    ['POST', '/api/mte-pair'],
    ['POST', '/api/mte-tunnel'],
    ['GET', '/api/mte-echo'],
    ['GET', '/health/live'],
    ['GET', '/-/tunnel'],
    ['OPTIONS', '*'],
    ['REPORT', '//anything?x'],
    ['GET', 'http://elsewhere/'],
  ])('is for the outbound role: %s %s', (method, url) => {
    expect(routeOf(method, url, TOKEN)).toBe(OUTBOUND_ROUTE);
    expect(routeOf(method, url, { ...TOKEN, ...RELAY })).toBe(OUTBOUND_ROUTE);
  });

  it('is for the outbound role whatever the token is, even if it is empty', () => {
    expect(routeOf('POST', '/', { 'x-mte-outbound-token': '' })).toBe(OUTBOUND_ROUTE);
  });
});

describe('a request for the inbound role', () => {
  it.each([
    ['GET', '/api/mte-relay'],
    ['HEAD', '/api/mte-relay?x=1'],
    ['POST', '/api/mte-pair'],
    ['POST', '/api/mte-pair?x=1'],
  ])('is known by its path: %s %s', (method, url) => {
    const [path] = url.split('?');
    expect(routeOf(method, url)).toBe(path);
    expect(routeOf(method, url, RELAY)).toBe(path);
  });

  it.each(['/api/mte-tunnel', '/', '/any/path?x', '/health/live', '/api/mte-relay', '*', ''])(
    'is known by its relay header, whatever its path: POST %s',
    (url) => {
      expect(routeOf('POST', url, RELAY)).toBe(TUNNEL_ROUTE);
    },
  );

  it('may have a malformed or empty relay header', () => {
    expect(routeOf('POST', '/', { 'x-mte-relay': '' })).toBe(TUNNEL_ROUTE);
    expect(routeOf('POST', '/', { 'x-mte-relay': 'nonsense' })).toBe(TUNNEL_ROUTE);
  });

  it('is a POST: other methods with a relay header are not', () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(routeOf(method, '/api/mte-tunnel', RELAY)).toBe(PASS_THROUGH_ROUTE);
    }
  });
});

describe("a request for the relay's own endpoints", () => {
  it.each(['/api/mte-echo', '/api/mte-echo/hello', '/health/live', '/health/ready'])(
    'is served only if its method is GET or HEAD: %s',
    (path) => {
      for (const method of ['GET', 'HEAD']) {
        expect(routeOf(method, path)).toBe(path);
        expect(routeOf(method, `${path}?x=/`)).toBe(path);
      }
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        expect(routeOf(method, path)).toBe(PASS_THROUGH_ROUTE);
      }
    },
  );

  it('keeps its route if it has a relay header', () => {
    expect(routeOf('GET', '/health/live', RELAY)).toBe('/health/live');
  });

  it.each(['/health/', '/health/nope', '/health/live/', '/api/mte-echo/', '/api/mte-echo/a/b'])(
    'passes through if no such endpoint exists: %s',
    (path) => {
      expect(routeOf('GET', path)).toBe(PASS_THROUGH_ROUTE);
    },
  );
});

describe('every other request', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/api/mte-echoes'],
    ['GET', '/api/mte-pair'],
    ['PUT', '/api/mte-pair'],
    ['POST', '/api/mte-relay'],
    ['POST', '/api/mte-tunnel'],
    ['GET', '/api/mte-tunnel'],
    ['GET', '/health'],
    ['GET', '/Health/live'],
    ['GET', '/%68ealth/live'],
    ['GET', '//health/live'],
    ['GET', 'http://b/health/live'],
    ['POST', '/api/mte-pair/'],
    ['OPTIONS', '*'],
    ['GET', ''],
  ])('passes through, or is refused: %s %s', (method, url) => {
    expect(routeOf(method, url)).toBe(PASS_THROUGH_ROUTE);
  });

  it('cannot name a route by its path', () => {
    for (const path of [OUTBOUND_ROUTE, TUNNEL_ROUTE, PASS_THROUGH_ROUTE]) {
      for (const method of ['GET', 'POST']) {
        expect(routeOf(method, path)).toBe(PASS_THROUGH_ROUTE);
      }
    }
  });
});

describe('the role that serves a request', () => {
  it.each([
    ['outbound', 'GET', '/health/live', TOKEN],
    ['inbound', 'POST', '/api/mte-tunnel', RELAY],
    ['pass-through', 'GET', '/', {}],
    ['pairing', 'POST', '/api/mte-pair', RELAY],
    ['own', 'GET', '/api/mte-relay', {}],
    ['own', 'GET', '/health/live', {}],
  ])('is %s for %s %s', (role, method, url, headers) => {
    expect(routing(method, url, headers).role).toBe(role);
  });
});

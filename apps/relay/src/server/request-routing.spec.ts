import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { OUTBOUND_DOOR, PASS_THROUGH_DOOR, TUNNEL_DOOR, doorOf, roleOf } from './door.js';

const TOKEN = { 'x-mte-outbound-token': 'token' };
const RELAY = { 'x-mte-relay': '1.E2uOwaOy1rJ0iSmtbBjUiw.1.mke.AQEBAQEBAQEBAQEBAQEBAQ' };

function door(method: string, url: string, headers: Record<string, string> = {}): string {
  const request = new IncomingMessage(new Socket());
  return doorOf(Object.assign(request, { method, url, headers }));
}

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
    expect(door(method, url, TOKEN)).toBe(OUTBOUND_DOOR);
    expect(door(method, url, { ...TOKEN, ...RELAY })).toBe(OUTBOUND_DOOR);
  });

  it('is so whatever the token says, also nothing', () => {
    expect(door('POST', '/', { 'x-mte-outbound-token': '' })).toBe(OUTBOUND_DOOR);
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
    expect(door(method, url)).toBe(path);
    expect(door(method, url, RELAY)).toBe(path);
  });

  it.each(['/api/mte-tunnel', '/', '/any/path?x', '/health/live', '/api/mte-relay', '*', ''])(
    'is known by its relay header, whatever its path: POST %s',
    (url) => {
      expect(door('POST', url, RELAY)).toBe(TUNNEL_DOOR);
    },
  );

  it('has a relay header that is malformed, or empty, as well', () => {
    expect(door('POST', '/', { 'x-mte-relay': '' })).toBe(TUNNEL_DOOR);
    expect(door('POST', '/', { 'x-mte-relay': 'nonsense' })).toBe(TUNNEL_DOOR);
  });

  it('is a POST: other methods with a relay header are not', () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(door(method, '/api/mte-tunnel', RELAY)).toBe(PASS_THROUGH_DOOR);
    }
  });
});

describe("a request for the relay's own endpoints", () => {
  it.each(['/api/mte-echo', '/api/mte-echo/hello', '/health/live', '/health/ready'])(
    'is a read: %s',
    (path) => {
      for (const method of ['GET', 'HEAD']) {
        expect(door(method, path)).toBe(path);
        expect(door(method, `${path}?x=/`)).toBe(path);
      }
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        expect(door(method, path)).toBe(PASS_THROUGH_DOOR);
      }
    },
  );

  it('keeps its door where a relay header comes with it', () => {
    expect(door('GET', '/health/live', RELAY)).toBe('/health/live');
  });

  it.each(['/health/', '/health/nope', '/health/live/', '/api/mte-echo/', '/api/mte-echo/a/b'])(
    'is none where no such endpoint exists: %s',
    (path) => {
      expect(door('GET', path)).toBe(PASS_THROUGH_DOOR);
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
    expect(door(method, url)).toBe(PASS_THROUGH_DOOR);
  });

  it('cannot name a door by its path', () => {
    for (const path of [OUTBOUND_DOOR, TUNNEL_DOOR, PASS_THROUGH_DOOR]) {
      for (const method of ['GET', 'POST']) {
        expect(door(method, path)).toBe(PASS_THROUGH_DOOR);
      }
    }
  });
});

describe('the role behind a door', () => {
  it.each([
    [OUTBOUND_DOOR, 'outbound'],
    [TUNNEL_DOOR, 'inbound'],
    [PASS_THROUGH_DOOR, 'pass-through'],
    ['/api/mte-pair', 'pairing'],
    ['/api/mte-relay', 'own'],
    ['/health/live', 'own'],
    ['', 'own'],
  ])('of %s is %s', (path, role) => {
    expect(roleOf(path)).toBe(role);
  });
});

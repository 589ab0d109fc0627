import { describe, expect, it } from 'vitest';

import { Refused } from './rule.js';
import { upstreamHost } from './upstream-host.js';

describe('the host that the upstream is told', () => {
  it.each([
    'upstream',
    'client',
    'api.example.com',
    'API.example.com:8443',
    '[::1]:80',
    '10.0.0.7',
  ])('may be %s', (text) => {
    expect(upstreamHost(text)).toBe(text);
  });

  it.each([
    ...['Client', 'UPSTREAM', 'http://a', 'a/', 'user@a', 'a:', 'a:0', 'a,b', '*.a', '::1', ' a'],
    'a\r\nx: y',
  ])('may not be %j', (text) => {
    expect(upstreamHost(text)).toBeInstanceOf(Refused);
  });
});

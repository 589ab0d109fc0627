import { expect, it } from 'vitest';
import { redisUrl } from './redis-url.js';
import { Refused } from './rule.js';

it.each([
  'memory://',
  'redis://localhost',
  'redis://user:pa%20ss@redis.example:6379/1',
  'rediss://:pw@[::1]:6380?family=6',
])('%s is taken as it is', (text) => {
  expect(redisUrl(text)).toBe(text);
});

it.each([
  ...['', 'memory:', 'memory://x', 'MEMORY://', 'redis:', 'redis://', 'redis:///1', 'redis:host'],
  ...['http://host', 'localhost:6379', ' redis://host', 'redis://host ', 'redis://host:x'],
])('%j is refused', (text) => {
  expect(redisUrl(text)).toBeInstanceOf(Refused);
});

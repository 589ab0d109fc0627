import { describe, expect, it } from 'vitest';
import { redisAddress, redisUrl } from './redis-url.js';
import { Refused } from './rule.js';

const PLAIN = { topology: 'single', isTls: false, primaryName: '', database: 0 };
const at = (host: string, port: number) => ({ host, port });

it('memory:// is returned unchanged', () => {
  expect(redisUrl('memory://')).toBe('memory://');
});

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost', { ...PLAIN, hosts: [at('localhost', 6379)] }],
    ['redis://h:1/', { ...PLAIN, hosts: [at('h', 1)] }],
    [
      'redis://user:pa%20s%2Fs@redis.example:6380/1',
      {
        ...PLAIN,
        hosts: [at('redis.example', 6380)],
        username: 'user',
        password: 'pa s/s',
        database: 1,
      },
    ],
    ['redis://:pw@h', { ...PLAIN, hosts: [at('h', 6379)], password: 'pw' }],
    ['rediss://[::1]:6380', { ...PLAIN, isTls: true, hosts: [at('::1', 6380)] }],
    [
      'redis+sentinel://:pw@s1,s2:26380/main.1/3',
      {
        ...PLAIN,
        topology: 'sentinel',
        hosts: [at('s1', 26_379), at('s2', 26_380)],
        password: 'pw',
        primaryName: 'main.1',
        database: 3,
      },
    ],
    [
      'rediss+cluster://n1:7000,[fe80::1],n3',
      {
        ...PLAIN,
        topology: 'cluster',
        isTls: true,
        hosts: [at('n1', 7000), at('fe80::1', 6379), at('n3', 6379)],
      },
    ],
  ])('%s names an address, and is returned unchanged', (text, address) => {
    expect(redisAddress(text)).toEqual(address);
    expect(redisUrl(text)).toBe(text);
  });

  it.each([
    ...['', 'memory:', 'memory://x', 'MEMORY://', 'redis:', 'redis://', 'redis:///1', 'redis:host'],
    ...['http://host', 'localhost:6379', ' redis://host', 'redis://host ', 'redis+tls://h'],
    ...['redis://h?family=6', 'redis://h#f', 'redis://a@b@h', 'redis+sentinel:///main'],
  ])('is not %j', (text) => {
    expect(redisUrl(text)).toEqual(
      new Refused(expect.stringMatching(/^must be memory:\/\/, or a redis:/) as string),
    );
  });

  it.each([
    ['redis://host:x', 'must name its hosts as host or host:port'],
    ['redis://host:0', 'must name its hosts as host or host:port'],
    ['redis://host:65536', 'must name its hosts as host or host:port'],
    ['redis://[::g]', 'must name its hosts as host or host:port'],
    ['redis+cluster://a,,b', 'must name its hosts as host or host:port'],
    ['redis://a,b', 'must name one host, unless it is redis+sentinel:// or redis+cluster://'],
    ['redis://user@h', 'must have a password, as in user:password@ or :password@'],
    ['redis://user:@h', 'must have a password, as in user:password@ or :password@'],
    ['redis://:%zz@h', 'must have its user name and password percent-encoded'],
    ['redis://h/main', 'must have nothing but a database number as its path'],
    ['redis://h/1/2', 'must have nothing but a database number as its path'],
    ['redis+cluster://h/0', 'must not have a path: a cluster has one database'],
    [
      'redis+sentinel://h',
      "must have the primary's name as its path, which a database number may follow",
    ],
    [
      'redis+sentinel://h/main/1/2',
      "must have the primary's name as its path, which a database number may follow",
    ],
  ])('%s is refused: %s', (text, problem) => {
    expect(redisUrl(text)).toEqual(new Refused(problem));
  });

  it('is refused with all its problems together', () => {
    expect((redisUrl('redis://user@a,b/x') as Refused).problems).toHaveLength(3);
  });
});

import { describe, expect, it } from 'vitest';

import { configProblems, relayConfig } from '../../../../test/support/relays/config.js';
import { proxyUrl } from './proxy-url.js';
import { Refused } from './rule.js';

describe('the URL of a proxy', () => {
  it.each([
    ['http://proxy.example:3128', 'http://proxy.example:3128'],
    ['HTTPS://Proxy.Example', 'https://proxy.example'],
    ['http://[::1]:3128/', 'http://[::1]:3128'],
    ['http://user:password@proxy.example:8080', 'http://user:password@proxy.example:8080'],
    ['http://user@proxy.example', 'http://user@proxy.example'],
    ['http://user:pa%3Ass%40w%2F@proxy.example', 'http://user:pa%3Ass%40w%2F@proxy.example'],
  ])('%s is %s in its normal form', (text, url) => {
    expect(proxyUrl(text)).toBe(url);
  });

  it.each([
    ...[
      '',
      'proxy.example:3128',
      'socks5://proxy.example',
      'ftp://proxy.example',
      '//proxy.example',
    ],
    ...['http://', 'http://proxy.example/path', 'http://proxy.example?q', 'http://proxy.example#f'],
    ...['http://proxy.example:65536', 'http://a b', ' http://proxy.example', 'http://*.example'],
    ...['http://canary:canary@@proxy.example', 'http://canary/@proxy.example', 'http://a,http://b'],
    ...['http://:canary@proxy.example', 'http://canary:%zz@proxy.example', 'http://@proxy.example'],
    ...['http://user%3Acanary@proxy.example', 'http://user:canary%0d%0aX@proxy.example'],
  ])('is not %j, and the problem does not quote it', (text) => {
    const refused = proxyUrl(text);
    expect(refused).toBeInstanceOf(Refused);
    expect(JSON.stringify(refused)).not.toContain('canary');
  });
});

describe('PEER_PROXY_URL and NO_PROXY', () => {
  it('are unset by default', () => {
    expect(relayConfig()).toMatchObject({ noProxy: [] });
    expect(relayConfig().peerProxyUrl).toBeUndefined();
  });

  it('are read from the environment', () => {
    const environment = {
      PEER_PROXY_URL: 'http://proxy.example:3128',
      NO_PROXY: 'a.example, b,,c',
    };
    expect(relayConfig(environment)).toMatchObject({
      peerProxyUrl: 'http://proxy.example:3128',
      noProxy: ['a.example', 'b', 'c'],
    });
  });

  it('refuse a URL by its name, and no entry at all', () => {
    const problems = configProblems({ PEER_PROXY_URL: 'canary', NO_PROXY: 'http://x/ * [' });
    expect(problems).toEqual([
      expect.stringMatching(/^PEER_PROXY_URL must be an http or https URL/),
    ]);
  });
});

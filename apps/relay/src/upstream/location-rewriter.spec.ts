import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { settingsOf } from '../../../../test/support/relays/directory.js';
import { LocationRewriter } from './location-rewriter.js';

const head = (authority: string, scheme: 'http' | 'https' = 'http') =>
  ({ method: 'MOVE', scheme, authority, path: '/', fields: [] }) as const;
const CLIENT = head('client.example:81', 'https');
const rewriter = (environment: Readonly<Record<string, string>> = {}) =>
  new LocationRewriter(
    settingsOf(relayConfig({ UPSTREAM: 'http://api.internal:8080', ...environment })),
  );
const BASE = { UPSTREAM: 'http://api.internal:8080/base' };

describe('a location', () => {
  it.each([
    ['http://api.internal:8080/a?b#c', '/a?b#c'],
    ['HTTP://API.internal:8080/A', '/A'],
    ['http://api.internal:8080', '/'],
    ['http://api.internal:8080?a', '/?a'],
  ])('at the origin of the API becomes its path: %s', (value, rewritten) => {
    expect(rewriter().toClient(value, CLIENT, 'peer')).toBe(rewritten);
  });

  it.each([
    ...['', '/a', 'a', './a', '../a', '?a', '#a', '//api.internal:8080/a', '*', 'urn:a'],
    ...['http://api.internal/a', 'https://api.internal:8080/a', 'http://api.internal:80801/'],
    ...[
      'http://api.internal:8080.evil/',
      'http://user@api.internal:8080/',
      'http:/api.internal:8080/',
    ],
    ...[
      'http://api.internal:8080//evil',
      'http://api.internal:8080/\\evil',
      // Browsers leave tabs out of what they read.
      'http://api.internal:8080/\t/evil',
      'http://api.internal:8080/\t\t\\evil',
      'http://evil/?http://api.internal:8080/',
    ],
    ...['http://[/', 'http://api.internal:8080\\@evil/', 'ftp://api.internal:8080/'],
  ])('of any other form or origin is left alone: %s', (value) => {
    expect(rewriter().toClient(value, CLIENT, 'peer')).toBe(value);
  });

  it.each([
    ['http://api.internal:8080/base/a', '/a'],
    ['http://api.internal:8080/base', '/'],
    ['http://api.internal:8080/base?a', '/?a'],
    ['/base/a', '/a'],
    ['/base', '/'],
  ])('below the base path loses it: %s', (value, rewritten) => {
    expect(rewriter(BASE).toClient(value, CLIENT, 'peer')).toBe(rewritten);
  });

  it.each([
    ...[
      'http://api.internal:8080/a',
      'http://api.internal:8080/basement',
      '/a',
      '/basement',
      'base/a',
    ],
    ...[
      'http://api.internal:8080/base/../a',
      '/base/%2e%2e/a',
      '/base//evil',
      '//base/a',
      '/base/\\evil',
    ],
  ])('outside the base path is left alone: %s', (value) => {
    expect(rewriter(BASE).toClient(value, CLIENT, 'peer')).toBe(value);
  });

  it.each([
    ['api.example', 'http://api.example/a', '/a'],
    ['api.example', 'http://api.internal:8080/a', '/a'],
    ['client', 'http://client.example:81/a', '/a'],
    ['client', 'https://client.example:81/a', 'https://client.example:81/a'],
    ['client', 'http://other/a', 'http://other/a'],
  ])('at what UPSTREAM_HOST=%s called the API counts as well: %s', (host, value, rewritten) => {
    const { toClient } = {
      toClient: (text: string) => rewriter({ UPSTREAM_HOST: host }).toClient(text, CLIENT, 'peer'),
    };
    expect(toClient(value)).toBe(rewritten);
  });

  it.each<[scheme: 'http' | 'https', value: string]>([
    ['https', 'https://api.internal:8080/a'],
    ['https', 'https://client.example:81/a'],
    ['http', 'http://client.example:81/a'],
  ])('at what FORWARDED_HEADERS told the API counts as well: %s, %s', (scheme, value) => {
    const told = rewriter({ FORWARDED_HEADERS: 'true' });
    const { authority } = CLIENT;
    expect(told.toClient(value, head(authority, scheme), 'peer')).toBe('/a');
    expect(rewriter().toClient(value, head(authority, scheme), 'peer')).toBe(value);
  });

  it('at a host that is no part of a URL is left alone', () => {
    const client = rewriter({ UPSTREAM_HOST: 'client' });
    expect(client.toClient('http://[/a', head('xn--a'), 'peer')).toBe('http://[/a');
  });
});

describe('a destination', () => {
  it.each([
    ['https://client.example:81/a', 'http://api.internal:8080/a'],
    ['http://Client.example:81/a?b', 'http://api.internal:8080/a?b'],
    ['http://client.example:81', 'http://api.internal:8080/'],
  ])('at the origin of the client is at that of the API: %s', (value, rewritten) => {
    expect(rewriter().toUpstream(value, CLIENT, 'peer')).toBe(rewritten);
  });

  it.each([
    ...[
      '/a',
      'a',
      '//client.example:81/a',
      'http://client.example/a',
      'http://client.example:811/a',
    ],
    ...['http://user@client.example:81/a', 'http://other/a', '', 'http://api.internal:8080/a'],
  ])('of any other form or origin is left alone: %s', (value) => {
    expect(rewriter().toUpstream(value, CLIENT, 'peer')).toBe(value);
  });

  it('gets the base path', () => {
    const { upstream } = { upstream: rewriter(BASE) };
    expect(upstream.toUpstream('http://client.example:81/a', CLIENT, 'peer')).toBe(
      'http://api.internal:8080/base/a',
    );
    expect(upstream.toUpstream('/a', CLIENT, 'peer')).toBe('/base/a');
  });

  it('is at what UPSTREAM_HOST called the API', () => {
    const url = 'http://client.example:81/a';
    const toUpstream = (host: string) =>
      rewriter({ UPSTREAM_HOST: host }).toUpstream(url, CLIENT, 'peer');
    expect(toUpstream('api.example')).toBe('http://api.example/a');
    expect(toUpstream('client')).toBe('http://client.example:81/a');
  });

  it('is left alone if the client named no host, or none of a URL', () => {
    expect(rewriter().toUpstream('http://xn--b/b', head('xn--a'), 'peer')).toBe('http://xn--b/b');
    expect(rewriter().toUpstream('http://a/b', head(''), 'peer')).toBe('http://a/b');
  });
});

import { describe, expect, it } from 'vitest';

import { ProxyExceptions } from './proxy-exceptions.js';

const has = (entries: string, origin: string): boolean =>
  new ProxyExceptions(entries.split(' ')).has(origin);

describe('NO_PROXY', () => {
  it.each([
    ['*', 'https://relay.example'],
    ['other.example *', 'http://10.0.0.1'],
    ['relay.example', 'https://relay.example'],
    ['Relay.Example.', 'https://relay.example:8443'],
    ['relay.example', 'https://a.b.relay.example'],
    ['relay.example', 'https://relay.example.'],
    ['.relay.example', 'https://a.relay.example'],
    ['*.relay.example', 'https://a.relay.example'],
    ['relay.example:8443', 'https://relay.example:8443'],
    ['relay.example:443', 'https://relay.example'],
    ['relay.example:80', 'http://relay.example'],
    ['localhost', 'http://localhost:8081'],
    ['10.1.2.3', 'http://10.1.2.3:8080'],
    ['10.1.2.3:8080', 'http://10.1.2.3:8080'],
    ['10.0.0.0/8', 'http://10.1.2.3'],
    ['0.0.0.0/0', 'http://192.0.2.1'],
    ['::1', 'http://[::1]:8080'],
    ['[::1]', 'http://[::1]:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['FD00:0:0::1', 'http://[fd00::1]'],
    ['fd00::/8', 'http://[fd12::1]'],
  ])('%s applies to %s', (entries, origin) => {
    expect(has(entries, origin)).toBe(true);
  });

  it.each([
    ['', 'https://relay.example'],
    ['relay.example', 'https://other.example'],
    ['relay.example', 'https://my-relay.example'],
    ['relay.example', 'https://relay.example.evil'],
    ['.relay.example', 'https://relay.example'],
    ['*.relay.example', 'https://relay.example'],
    ['relay.example:8443', 'https://relay.example'],
    ['relay.example:443', 'http://relay.example'],
    ['10.1.2.3', 'http://10.1.2.30'],
    ['10.0.0.0/8', 'http://11.0.0.1'],
    ['10.0.0.0/8', 'http://10.example'],
    ['10.0.0.0/33', 'http://10.0.0.1'],
    ['0.0.0.0/0', 'http://relay.example'],
    ['0.0.0.0/0', 'http://[::1]'],
    ['::/0', 'http://10.0.0.1'],
    ['fd00::/8', 'http://[fe00::1]'],
    ['https://relay.example', 'https://relay.example'],
    ['relay.*', 'https://relay.example'],
    ['[::1', 'http://[::1]'],
    [':443', 'https://relay.example'],
  ])('%s does not apply to %s', (entries, origin) => {
    expect(has(entries, origin)).toBe(false);
  });
});

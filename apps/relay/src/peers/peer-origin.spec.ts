import type { ClientEntry } from '@relay/config';
import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { directoryOf } from '../../../../test/support/relays/directory.js';
import { UpstreamHeaderInvalidError, UpstreamRefusedError } from './peers.errors.js';
import { PeerOrigins } from './peer-origin.js';

const anyPeer = new PeerOrigins(await directoryOf(relayConfig()));
const listedPeers = new PeerOrigins(
  await directoryOf(
    relayConfig({ OUTBOUND_ALLOWED_UPSTREAMS: 'https://b.example, http://169.254.1.1:8080' }),
  ),
);
const CLIENT: ClientEntry = { name: '', tokens: [], limits: {} };

describe('x-mte-upstream', () => {
  it.each([
    ['http://b.example', 'http://b.example'],
    ['http://b.example/', 'http://b.example'],
    ['HTTP://B.Example:80/', 'http://b.example'],
    ['https://b.example:443', 'https://b.example'],
    ['https://b.example:8443', 'https://b.example:8443'],
    ['http://b\u00fccher.example', 'http://xn--bcher-kva.example'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['http://2130706433', 'http://127.0.0.1'],
  ])('of %s names the origin %s', (value, origin) => {
    expect(anyPeer.parse(value, CLIENT).origins).toEqual([origin]);
  });

  it.each([
    undefined,
    '',
    'b.example',
    '//b.example',
    'ftp://b.example',
    'file:///etc/passwd',
    'http:b.example',
    'http:/b.example',
    'http:///b.example',
    'http://',
    'http://user@b.example',
    'http://user:password@b.example',
    'http://@b.example',
    'http://evil@169.254.169.254',
    'http://b.example/path',
    'http://b.example//',
    'http://b.example/?x',
    'http://b.example?x',
    'http://b.example#x',
    'http://b.example\\@evil',
    'http://b.example evil',
    ' http://b.example',
    'http://b.example\n',
    'http://b.example, http://evil.example',
    'http://b.example:99999',
    'http://b.example:x',
    'http://b%2fevil',
    'http://b%00',
    'http://[::1',
    'javascript:alert(1)',
  ])('of %j is rejected', (value) => {
    expect(() => anyPeer.parse(value, CLIENT)).toThrow(UpstreamHeaderInvalidError);
    expect(() => listedPeers.parse(value, CLIENT)).toThrow(UpstreamHeaderInvalidError);
  });

  it('is rejected if it is sent twice', () => {
    expect(() => anyPeer.parse(['http://b.example', 'http://b.example'], CLIENT)).toThrow(
      UpstreamHeaderInvalidError,
    );
  });

  it('is rejected if its origin is longer than the 255 bytes that fit into a pairing request', () => {
    const [origin] = anyPeer.parse(`http://${'b'.repeat(248)}`, CLIENT).origins;
    expect(origin).toHaveLength(255);
    expect(() => anyPeer.parse(`http://${'b'.repeat(249)}`, CLIENT)).toThrow(
      UpstreamHeaderInvalidError,
    );
  });
});

describe('without a list of peers', () => {
  it.each([
    'http://169.254.169.254',
    'http://169.254.169.254.',
    'http://0xa9fea9fe',
    'http://2852039166',
    'http://0251.0376.0251.0376',
    'http://\u2460\u2465\u2468.254.169.254',
    'http://[::ffff:169.254.169.254]',
    'http://[fd00:ec2::254]',
    'http://[fe80::1]',
    'http://0.0.0.0:8080',
    'http://0',
  ])('%s is refused', (value) => {
    expect(() => anyPeer.parse(value, CLIENT)).toThrow(UpstreamRefusedError);
  });

  it('the addresses that names resolve to are restricted', () => {
    expect(anyPeer.areListed).toBe(false);
  });
});

describe('with a list of peers', () => {
  it('exactly the listed origins may be called, even at addresses that would otherwise be refused', () => {
    expect(listedPeers.parse('https://B.example:443/', CLIENT).origins).toEqual([
      'https://b.example',
    ]);
    expect(listedPeers.parse('http://169.254.1.1:8080', CLIENT).origins).toEqual([
      'http://169.254.1.1:8080',
    ]);
    expect(listedPeers.areListed).toBe(true);
  });

  it.each([
    'http://b.example',
    'https://b.example:8443',
    'https://a.b.example',
    'https://b.example.',
    'https://b.example.evil.example',
    'http://169.254.1.1',
    'http://127.0.0.1',
  ])('%s is refused', (value) => {
    expect(() => listedPeers.parse(value, CLIENT)).toThrow(UpstreamRefusedError);
  });
});

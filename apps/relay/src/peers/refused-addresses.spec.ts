import type { LookupAddress, LookupOptions } from 'node:dns';
import { describe, expect, it } from 'vitest';

import { UpstreamRefusedError } from './peers.errors.js';
import { guardedLookup, isRefusedAddress } from './refused-addresses.js';

/** The result of looking up a name, or an address, which resolves to itself. */
function lookedUp(
  name: string,
  options: LookupOptions = {},
): Promise<{ error: Error | null; address: string | LookupAddress[] }> {
  return new Promise((resolve) => {
    guardedLookup(name, options, (error, address) => {
      resolve({ error, address });
    });
  });
}

/** The addresses of metadata services, as their providers document them, and other spellings of them. */
const METADATA: readonly (readonly [provider: string, ...addresses: string[]])[] = [
  [
    'AWS, Google Cloud, Azure, IBM, Oracle, OpenStack, DigitalOcean, Hetzner and others',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::FFFF:A9FE:A9FE',
    '0:0:0:0:0:ffff:169.254.169.254',
    '0000:0000:0000:0000:0000:ffff:a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::ffff:0:a9fe:a9fe',
    '::169.254.169.254',
    '::a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '0064:FF9B:0:0:0:0:A9FE:A9FE',
    '2002:a9fe:a9fe::',
    '2002:a9fe:a9fe::1',
  ],
  ['AWS containers', '169.254.170.2', '169.254.170.23', '::ffff:169.254.170.2'],
  ['AWS in IPv6', 'fd00:ec2::254', 'FD00:0EC2::0254', 'fd00:ec2:0:0:0:0:0:254'],
  ['AWS pods in IPv6', 'fd00:ec2::23', 'fd00:ec2::0.0.0.35'],
  ['Google Cloud in IPv6', 'fd20:ce::254', 'FD20:00CE::0254', 'fd20:ce:0:0:0:0:0:254'],
  ['Google Kubernetes Engine', '169.254.169.252', '::ffff:a9fe:a9fc'],
  [
    'Azure',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '::ffff:a83f:8110',
    '::168.63.129.16',
    '64:ff9b::168.63.129.16',
    '2002:a83f:8110::',
  ],
  [
    'Alibaba Cloud',
    '100.100.100.200',
    '::ffff:100.100.100.200',
    '::ffff:6464:64c8',
    '::100.100.100.200',
    '64:ff9b::6464:64c8',
    '2002:6464:64c8::1',
  ],
  ['Alibaba Cloud in IPv6', 'fd00:100::100:200', 'fd00:0100:0:0:0:0:0100:0200'],
  ['Oracle Cloud in IPv6', 'fd00:c1::a9fe:a9fe', 'fd00:c1::169.254.169.254'],
  [
    'Oracle Cloud at Customer',
    '192.0.0.192',
    '::ffff:192.0.0.192',
    '64:ff9b::c000:c0',
    '2002:c000:c0::',
  ],
  ['Scaleway', '169.254.42.42', '::ffff:169.254.42.42'],
  ['Scaleway in IPv6', 'fd00:42::42', 'FD00:0042:0:0:0:0:0:0042', 'fd00:42::0.0.0.66'],
  ['Akamai', 'fd00:a9fe:a9fe::1', 'fd00:a9fe:a9fe:0:0:0:0:0001'],
  ['Tencent Cloud', '169.254.0.23', '169.254.10.10', '::ffff:169.254.0.23'],
  ['OpenStack in IPv6', 'fe80::a9fe:a9fe', 'fe80::169.254.169.254', 'fe80::a9fe:a9fe%eth0'],
  ['a name cache of Kubernetes', '169.254.20.10', '169.254.25.10'],
  [
    'a local translation to IPv4 (RFC 8215)',
    '64:ff9b:1::a9fe:a9fe',
    '64:ff9b:1:a9fe:00a9:fe00::',
    '64:ff9b:1:ffff:a9:fea9:fe00:0',
    '0064:ff9b:0001::169.254.169.254',
    '64:ff9b:1:ffff:ffff:ffff:ffff:ffff',
  ],
];

describe('isRefusedAddress', () => {
  it.each(
    METADATA.flatMap(([provider, ...addresses]) => addresses.map((each) => [each, provider])),
  )('refuses %s (%s)', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
    expect(isRefusedAddress(`[${address}]`)).toBe(true);
  });

  it.each([
    '169.254.0.0',
    '169.254.255.255',
    '0.0.0.0',
    '0.255.255.255',
    '[fe80::1]',
    '[febf:ffff::1]',
    '[::]',
    '[::ffff:0.0.0.0]',
    '[::ffff:0:0:0]',
    '[64:ff9b::]',
    '[2002::]',
    'fe80::1',
    'fe80::1%eth0',
  ])('refuses %s', (host) => {
    expect(isRefusedAddress(host)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '192.168.1.1',
    '169.253.255.255',
    '169.255.0.0',
    '100.100.100.199',
    '100.100.100.201',
    '168.63.129.15',
    '168.63.129.17',
    '192.0.1.0',
    '1.0.0.0',
    '[::1]',
    '[fec0::1]',
    '[fd00:ec1:ffff::1]',
    '[fd00:ec3::1]',
    '[fd20:ce::253]',
    '[fd20:ce::1:254]',
    '[fd00:42::41]',
    '[fd00:42:0:1::42]',
    '[fd00:c1::a9fe:a9fd]',
    '[fd00:a9fe:a9fe::2]',
    '[fd00:100::100:201]',
    '[64:ff9b::808:808]',
    '[64:ff9b:2::a9fe:a9fe]',
    '[64:ff9b:0:1::a9fe:a9fe]',
    '[::ffff:0:808:808]',
    '[2002:808:808::1]',
    '[2001:db8::1]',
    '[2001:db8::a9fe:a9fe]',
    '[::ffff:7f00:1]',
    'relay.example',
    'localhost',
    '',
  ])('does not refuse %s', (host) => {
    expect(isRefusedAddress(host)).toBe(false);
  });
});

describe('a lookup', () => {
  it.each([{}, { all: true }, { family: 4 }, { all: true, family: 4 }])(
    'returns the address of a name: %j',
    async (options) => {
      const { error, address } = await lookedUp('127.0.0.1', options);
      expect(error).toBeNull();
      expect(address).toEqual(
        'all' in options ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1',
      );
    },
  );

  it.each([{}, { all: true }])(
    'fails for a name that resolves to a refused address: %j',
    async (options) => {
      for (const name of ['169.254.169.254', 'fe80::1']) {
        const { error, address } = await lookedUp(name, options);
        expect(error).toBeInstanceOf(UpstreamRefusedError);
        expect(address).toBe('');
      }
    },
  );

  it('fails like dns.lookup for a name that does not exist', async () => {
    const { error } = await lookedUp('no such name');
    expect(error).toMatchObject({ syscall: 'getaddrinfo' });
    expect(error).not.toBeInstanceOf(UpstreamRefusedError);
  });
});

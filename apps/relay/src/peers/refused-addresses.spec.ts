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

describe('isRefusedAddress', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.0',
    '169.254.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '0.255.255.255',
    '[fe80::1]',
    '[febf:ffff::1]',
    '[fd00:ec2::254]',
    '[::]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
    '[::a9fe:a9fe]',
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
    '100.100.100.201',
    '192.0.1.0',
    '1.0.0.0',
    '[::1]',
    '[fec0::1]',
    '[fd00:ec3::1]',
    '[2001:db8::1]',
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

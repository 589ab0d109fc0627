import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeAuthority } from '../../../../test/support/certificates/certificates.js';
import { configProblems, relayConfig } from '../../../../test/support/relays/config.js';
import { sharedResources } from '../../../../test/support/lifecycle/resources.js';

const authority = sharedResources()(makeAuthority());
const [one, other] = [authority.issue('one', 'DNS:one'), authority.issue('other', 'DNS:other')];

it('the listener accepts a certificate with its key', () => {
  expect(relayConfig({ TLS_CERT_FILE: one.cert, TLS_KEY_FILE: one.key })).toMatchObject({
    tlsCertFile: one.cert,
    tlsKeyFile: one.key,
  });
});

it('the listener refuses a certificate without a key, and a key without a certificate', () => {
  expect(configProblems({ TLS_CERT_FILE: one.cert })).toEqual(['TLS_CERT_FILE needs TLS_KEY_FILE']);
  expect(configProblems({ TLS_KEY_FILE: one.key })).toEqual([
    'TLS_KEY_FILE must be the key of TLS_CERT_FILE, without a passphrase',
  ]);
});

it('the listener refuses a key of another type than the certificate, and accepts a pair of that type', () => {
  const rsa = authority.issue('rsa', 'DNS:one', 'rsa');
  expect(configProblems({ TLS_CERT_FILE: rsa.cert, TLS_KEY_FILE: rsa.key })).toEqual([]);
  for (const [TLS_CERT_FILE, TLS_KEY_FILE] of [
    [one.cert, rsa.key],
    [rsa.cert, one.key],
  ] as const) {
    expect(configProblems({ TLS_CERT_FILE, TLS_KEY_FILE })).toEqual([
      'TLS_KEY_FILE must be the key of TLS_CERT_FILE, without a passphrase',
    ]);
  }
});

it('the listener refuses the key of another certificate, a file without a certificate, and a missing file', () => {
  expect(configProblems({ TLS_CERT_FILE: one.cert, TLS_KEY_FILE: other.key })).toEqual([
    'TLS_KEY_FILE must be the key of TLS_CERT_FILE, without a passphrase',
  ]);
  expect(
    configProblems({ TLS_CERT_FILE: one.key, TLS_KEY_FILE: join(authority.dir, 'missing') }),
  ).toEqual([
    'TLS_CERT_FILE must name a PEM file with a CERTIFICATE block',
    'TLS_KEY_FILE cannot be read (ENOENT)',
  ]);
});

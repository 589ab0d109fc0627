import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeAuthority } from '../../../../test/support/certificates/certificates.js';
import { configProblems, relayConfig } from '../../../../test/support/relays/config.js';
import { sharedResources } from '../../../../test/support/lifecycle/resources.js';

const authority = sharedResources()(makeAuthority());
const [one, other] = [authority.issue('one', 'DNS:one'), authority.issue('other', 'DNS:other')];
const notPem = join(authority.dir, 'not-pem');
writeFileSync(notPem, 'not a certificate');

const TLS = { REDIS_URL: 'rediss://h' };

it.each([TLS.REDIS_URL, 'rediss+sentinel://h/main', 'rediss+cluster://h'])(
  'an authority and a certificate with its key are accepted with %s',
  (REDIS_URL) => {
    const config = relayConfig({
      REDIS_URL,
      REDIS_TLS_CA_FILE: authority.ca,
      REDIS_TLS_CERT_FILE: one.cert,
      REDIS_TLS_KEY_FILE: one.key,
    });
    expect(config).toMatchObject({
      redisTlsCaFile: authority.ca,
      redisTlsCertFile: one.cert,
      redisTlsKeyFile: one.key,
    });
  },
);

it.each(['memory://', 'redis://h', 'redis+cluster://h'])(
  'a TLS setting is refused with %s, because it would have no effect',
  (REDIS_URL) => {
    expect(configProblems({ REDIS_URL, REDIS_TLS_CA_FILE: authority.ca })).toEqual([
      'REDIS_TLS_CA_FILE needs a REDIS_URL that begins with rediss',
    ]);
  },
);

it('a file is refused if it is missing or does not contain the right kind of PEM block', () => {
  expect(
    configProblems({
      ...TLS,
      REDIS_TLS_CA_FILE: join(authority.dir, 'missing'),
      REDIS_TLS_CERT_FILE: notPem,
      REDIS_TLS_KEY_FILE: one.cert,
    }),
  ).toEqual([
    'REDIS_TLS_CA_FILE cannot be read (ENOENT)',
    'REDIS_TLS_CERT_FILE must name a PEM file with a CERTIFICATE block',
    'REDIS_TLS_KEY_FILE must name a PEM file with a PRIVATE KEY block',
  ]);
});

it('a certificate without its key is refused, and so is a key without its certificate', () => {
  expect(configProblems({ ...TLS, REDIS_TLS_CERT_FILE: one.cert })).toEqual([
    'REDIS_TLS_CERT_FILE needs REDIS_TLS_KEY_FILE',
  ]);
  const wrongKey = [
    'REDIS_TLS_KEY_FILE must be the key of REDIS_TLS_CERT_FILE, without a passphrase',
  ];
  expect(configProblems({ ...TLS, REDIS_TLS_KEY_FILE: one.key })).toEqual(wrongKey);
  expect(
    configProblems({ ...TLS, REDIS_TLS_CERT_FILE: one.cert, REDIS_TLS_KEY_FILE: other.key }),
  ).toEqual(wrongKey);
});

it('a sentinel password is refused without sentinels', () => {
  const REDIS_SENTINEL_PASSWORD = 'canary';
  expect(configProblems({ REDIS_URL: 'redis://h', REDIS_SENTINEL_PASSWORD })).toEqual([
    'REDIS_SENTINEL_PASSWORD needs a redis+sentinel:// REDIS_URL',
  ]);
  expect(configProblems({ REDIS_URL: 'redis+sentinel://h/main', REDIS_SENTINEL_PASSWORD })).toEqual(
    [],
  );
});

it('a prefix is refused if it contains a character with a special meaning in Redis', () => {
  const rule = 'REDIS_PREFIX must be 1 to 64 letters, digits, ":", ".", "_" or "-"';
  for (const REDIS_PREFIX of ['a b', '{mte}', '*', 'a'.repeat(65)]) {
    expect(configProblems({ REDIS_PREFIX })).toEqual([rule]);
  }
  expect(relayConfig({ REDIS_PREFIX: 'team-a.relay_1:' }).redisPrefix).toBe('team-a.relay_1:');
});

it('the Redis address has the parts of REDIS_URL, and is undefined if sessions are kept in the process', () => {
  expect(relayConfig({ REDIS_URL: 'redis://:pw@h/1' }).redisAddress).toMatchObject({
    hosts: [{ host: 'h', port: 6379 }],
    password: 'pw',
    database: 1,
  });
  expect(relayConfig({ REDIS_URL: 'memory://' }).redisAddress).toBeUndefined();
});

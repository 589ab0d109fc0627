import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { makeAuthority } from '../../../../test/support/certificates/certificates.js';
import { configProblems, relayConfig } from '../../../../test/support/relays/config.js';
import { sharedResources } from '../../../../test/support/lifecycle/resources.js';

const authority = sharedResources()(makeAuthority());
const [one, other] = [authority.issue('one', 'DNS:one'), authority.issue('other', 'DNS:other')];
const notPem = join(authority.dir, 'not-pem');
writeFileSync(notPem, 'not a certificate');

const HTTPS = { UPSTREAM: 'HTTPS://10.0.0.5:8443/base' };

describe('TLS towards the API', () => {
  it('may have authorities, a certificate with its key, and a name', () => {
    const { directory } = relayConfig({
      ...HTTPS,
      UPSTREAM_TLS_CA_FILE: authority.ca,
      UPSTREAM_TLS_CERT_FILE: one.cert,
      UPSTREAM_TLS_KEY_FILE: one.key,
      UPSTREAM_TLS_SERVER_NAME: 'API.internal',
    });
    expect(directory.tenants[0]?.upstreamTls).toEqual({
      caFile: authority.ca,
      certFile: one.cert,
      keyFile: one.key,
      serverName: 'api.internal',
    });
  });

  it('is refused with an http UPSTREAM, because it would have no effect', () => {
    const problems = configProblems({
      UPSTREAM: 'http://10.0.0.5:8443',
      UPSTREAM_TLS_CA_FILE: authority.ca,
      UPSTREAM_TLS_CERT_FILE: one.cert,
      UPSTREAM_TLS_KEY_FILE: one.key,
      UPSTREAM_TLS_SERVER_NAME: 'api.internal',
    });
    expect(problems).toEqual(
      ['CA_FILE', 'CERT_FILE', 'KEY_FILE', 'SERVER_NAME'].map(
        (name) =>
          `UPSTREAM_TLS_${name} needs an UPSTREAM that begins with https; a tenant of RELAY_CONFIG_FILE has upstreamTls instead`,
      ),
    );
  });

  it('is for the hosts of DOMAIN_MAP, if the upstream of any begins with https', () => {
    const withMap = (upstream: string) => ({
      UPSTREAM: '',
      DOMAIN_MAP: JSON.stringify({
        'a.example': { upstream },
        'b.example': { upstream: 'http://b' },
      }),
      UPSTREAM_TLS_CA_FILE: authority.ca,
    });
    expect(configProblems(withMap('https://a'))).toEqual([]);
    expect(configProblems(withMap('http://a'))).toEqual([
      'UPSTREAM_TLS_CA_FILE needs an UPSTREAM that begins with https; a tenant of RELAY_CONFIG_FILE has upstreamTls instead',
    ]);
  });

  it('is not said to lack an https UPSTREAM beside one that is no URL', () => {
    const problems = configProblems({ UPSTREAM: 'api', UPSTREAM_TLS_CA_FILE: authority.ca });
    expect(problems).toEqual(['UPSTREAM must be an http or https URL']);
  });

  it('is refused if a file is missing or does not contain the right kind of PEM block', () => {
    expect(
      configProblems({
        ...HTTPS,
        UPSTREAM_TLS_CA_FILE: join(authority.dir, 'missing'),
        UPSTREAM_TLS_CERT_FILE: notPem,
        UPSTREAM_TLS_KEY_FILE: one.cert,
      }),
    ).toEqual([
      'UPSTREAM_TLS_CA_FILE cannot be read (ENOENT)',
      'UPSTREAM_TLS_CERT_FILE must name a PEM file with a CERTIFICATE block',
      'UPSTREAM_TLS_KEY_FILE must name a PEM file with a PRIVATE KEY block',
    ]);
  });

  it('is refused with a certificate without its key, and with a key that is not its own', () => {
    expect(configProblems({ ...HTTPS, UPSTREAM_TLS_CERT_FILE: one.cert })).toEqual([
      'UPSTREAM_TLS_CERT_FILE needs UPSTREAM_TLS_KEY_FILE',
    ]);
    for (const certificate of [{}, { UPSTREAM_TLS_CERT_FILE: other.cert }]) {
      expect(configProblems({ ...HTTPS, ...certificate, UPSTREAM_TLS_KEY_FILE: one.key })).toEqual([
        'UPSTREAM_TLS_KEY_FILE must be the key of UPSTREAM_TLS_CERT_FILE, without a passphrase',
      ]);
    }
  });

  it.each(['10.0.0.5', '[::1]', 'api:443', 'https://api', 'a b', 'a/b', '*.api', 'a'.repeat(254)])(
    'is refused with the name %s',
    (name) => {
      expect(configProblems({ ...HTTPS, UPSTREAM_TLS_SERVER_NAME: name })).toEqual([
        'UPSTREAM_TLS_SERVER_NAME must be a host name',
      ]);
    },
  );
});

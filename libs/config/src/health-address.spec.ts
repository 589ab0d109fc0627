import { expect, it } from 'vitest';
import { loadHealthAddress } from './load-config.js';

it.each([
  [{}, { protocol: 'http', host: '127.0.0.1', port: 8080 }],
  [
    { HOST: '::', PORT: '81' },
    { protocol: 'http', host: '127.0.0.1', port: 81 },
  ],
  [{ HOST: '10.0.0.7' }, { protocol: 'http', host: '10.0.0.7', port: 8080 }],
  [{ ADMIN_PORT: '9464' }, { protocol: 'http', host: '127.0.0.1', port: 9464 }],
  [
    { ADMIN_PORT: '9464', ADMIN_HOST: '10.0.0.7' },
    { protocol: 'http', host: '10.0.0.7', port: 9464 },
  ],
])('health of the relay with %j is asked at %j', (environment, address) => {
  expect(loadHealthAddress(environment)).toEqual(address);
});

it('a certificate that is gone since the start does not change where health is asked', () => {
  expect(loadHealthAddress({ TLS_CERT_FILE: '/gone', TLS_KEY_FILE: '/gone' })).toEqual({
    protocol: 'https',
    host: '127.0.0.1',
    port: 8080,
  });
});

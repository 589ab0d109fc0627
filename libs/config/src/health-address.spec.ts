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
])('with %j, the health address is %j', (environment, address) => {
  expect(loadHealthAddress(environment)).toEqual(address);
});

it('the health address does not change if the certificate file has disappeared', () => {
  expect(loadHealthAddress({ TLS_CERT_FILE: '/gone', TLS_KEY_FILE: '/gone' })).toEqual({
    protocol: 'https',
    host: '127.0.0.1',
    port: 8080,
  });
});

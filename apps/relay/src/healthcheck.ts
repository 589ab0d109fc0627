import 'reflect-metadata';

import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

import { loadHealthAddress } from '@relay/config';

const TIMEOUT_MS = 3_000;

/** For container health checks: exits with 0 if the relay of this environment is ready, otherwise with 1. */
const { protocol, host, port } = loadHealthAddress();
const get = protocol === 'https' ? getSecure : getPlain;
const request = get(
  {
    host,
    port,
    path: '/health/ready',
    timeout: TIMEOUT_MS,
    // The request goes to this machine by address and contains no secret. Besides, no restart would fix a certificate.
    rejectUnauthorized: false,
  },
  (response) => {
    process.exit(response.statusCode === 200 ? 0 : 1);
  },
);
request.on('timeout', () => {
  process.exit(1);
});
request.on('error', () => {
  process.exit(1);
});

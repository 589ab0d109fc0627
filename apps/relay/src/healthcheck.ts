import 'reflect-metadata';

import { get } from 'node:http';

import { loadConfig } from '@relay/config';

const TIMEOUT_MS = 3_000;

/** For container health checks: ends with 0 where the relay of this environment is ready, else with 1. */
const { port, host, adminPort, adminHost } = loadConfig().config;
const listensOn = adminPort === undefined ? host : adminHost;
const isWildcard = listensOn === '0.0.0.0' || listensOn === '::';
const request = get(
  {
    host: isWildcard ? '127.0.0.1' : listensOn,
    port: adminPort ?? port,
    path: '/health/ready',
    timeout: TIMEOUT_MS,
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

import 'reflect-metadata';

import { get } from 'node:http';

import { loadConfig } from '@relay/config';

const TIMEOUT_MS = 3_000;

/** For container health checks: ends with 0 where the relay of this environment is ready, else with 1. */
const { port, adminPort } = loadConfig().config;
const request = get(
  { host: '127.0.0.1', port: adminPort ?? port, path: '/health/ready', timeout: TIMEOUT_MS },
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

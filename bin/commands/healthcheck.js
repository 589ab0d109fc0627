import { readOptions } from '../arguments.js';
import { requireBuild } from '../require-build.js';

readOptions(
  `Usage: mte-api-relay healthcheck

Exits with 0 if the relay that is configured by this environment runs on this machine and is ready, otherwise with 1.
It is for the health checks of containers.`,
  {},
);

requireBuild();
await import('#dist/apps/relay/src/healthcheck.js');

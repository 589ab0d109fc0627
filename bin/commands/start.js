/** `mte-api-relay start`. The service runs in this process, so that signals reach it and its exit code is the command's. */
import { readOptions } from '../arguments.js';
import { requireBuild } from '../require-build.js';

readOptions(
  `Usage: mte-api-relay [start]

Runs one relay. It is configured by environment variables or by .env in the working directory: see .env.example and
docs/configuration.md. Ctrl-C stops it.`,
  {},
);

requireBuild();
await import('#dist/apps/relay/src/main.js');

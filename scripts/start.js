/** `npm start`. The service runs in this process, so that signals reach it and its exit code is that of the command. */
import { readOptions } from './arguments.js';
import { buildIfMissing } from './build-if-missing.js';

readOptions(
  `Usage: npm start

Runs one relay, and builds it first if there is no build. It is configured by environment variables or by .env in the
working directory: see .env.example and docs/configuration.md. Ctrl-C stops it.`,
  {},
);

const main = new URL('../dist/apps/relay/src/main.js', import.meta.url);

buildIfMissing(main);

await import(main.href);

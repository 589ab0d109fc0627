/** `npm start`. The service runs in this process, so that signals reach it and its exit code is that of the command. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from './arguments.js';

readOptions(
  `Usage: npm start

Runs one relay, and builds it first if there is no build. It is configured by environment variables or by .env in the
working directory: see .env.example and docs/configuration.md. Ctrl-C stops it.`,
  {},
);

const main = new URL('../dist/apps/relay/src/main.js', import.meta.url);

if (!existsSync(main)) {
  // Standard output is for log lines in JSON.
  console.error('There is no build yet: building the relay …');
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd, stdio: 'inherit' });
  if (status !== 0) {
    console.error('The build failed. Run npm ci first if the dependencies are not installed.');
    process.exit(status ?? 1);
  }
}

await import(main.href);

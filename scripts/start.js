/**
 * `npm start`: runs the built service, configured by the environment. Builds it first if there is no build.
 * The service runs in this process, so that signals reach it and its exit code is that of the command.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/apps/relay/src/main.js', import.meta.url);

if (!existsSync(main)) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd, stdio: 'inherit' });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}

await import(main.href);

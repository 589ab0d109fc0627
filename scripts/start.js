/**
 * `npm start`: runs the built service from the environment, building it first where there is no build.
 * The service runs in this very process, so signals and the exit code are its own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/apps/relay/src/main.js', import.meta.url);

if (!existsSync(main)) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

await import(main.href);

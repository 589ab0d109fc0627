/** Builds the relay if there is no build, so that commands work in a fresh clone. Standard output stays empty. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('..', import.meta.url);

if (!existsSync(new URL('dist/apps/relay/src/main.js', ROOT))) {
  // Standard output is for log lines in JSON, or for what the command prints.
  console.error('There is no build yet: building the relay …');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: fileURLToPath(ROOT),
    stdio: ['inherit', 2, 'inherit'],
  });
  if (status !== 0) {
    console.error('The build failed. Run npm ci first if the dependencies are not installed.');
    process.exit(status ?? 1);
  }
}

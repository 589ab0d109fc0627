/** For commands that run the build, so that they work in a fresh clone. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Builds the relay if there is no build, and ends the process if that fails. Standard output stays empty.
 *
 * @param {URL} file - one that the build creates
 */
export function buildIfMissing(file) {
  if (existsSync(file)) {
    return;
  }
  // Standard output is for log lines in JSON, or for what the command prints.
  console.error('There is no build yet: building the relay …');
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd,
    stdio: ['inherit', 2, 'inherit'],
  });
  if (status !== 0) {
    console.error('The build failed. Run npm ci first if the dependencies are not installed.');
    process.exit(status ?? 1);
  }
}

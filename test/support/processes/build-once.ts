import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUILT_MAIN = 'dist/apps/relay/src/main.js';
const SOURCE_DIRS = ['apps', 'libs'];

/** Builds the service if the build is older than a source file. For vitest's global setup, and for single files. */
export default function buildOnce(): void {
  const builtAtMs = statSync(BUILT_MAIN, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (newestSourceMs() <= builtAtMs) {
    return;
  }
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}

/** When a source file was last changed. Folders count as well: removing a file changes its folder. */
function newestSourceMs(): number {
  const paths = SOURCE_DIRS.flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path)),
  );
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUILT_MAIN = 'dist/apps/relay/src/main.js';
const SOURCE_DIRS = ['apps', 'libs'];

/** Vitest global setup, and for single files: suites that start the built service find a build no older than its sources. */
export default function buildOnce(): void {
  const builtAtMs = statSync(BUILT_MAIN, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (newestSourceMs() <= builtAtMs) return;
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}

/** When a source was last changed. Folders count, because they change when a file in them is removed. */
function newestSourceMs(): number {
  const paths = SOURCE_DIRS.flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path)),
  );
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

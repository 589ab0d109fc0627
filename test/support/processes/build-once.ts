import { execFileSync } from 'node:child_process';

import { isOutdated } from './newest-source.js';

const BUILT_MAIN = 'dist/apps/relay/src/main.js';

/** Builds the service if the build is older than a source file. For vitest's global setup, and for single files. */
export default function buildOnce(): void {
  if (isOutdated(BUILT_MAIN, ['apps', 'libs'])) {
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  }
}

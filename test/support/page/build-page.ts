import { execFileSync } from 'node:child_process';

import { isOutdated } from '../processes/newest-source.js';

const BUILT_PAGE = 'dist/page/index.html';

/** Builds the page alone, which takes a second, if it is older than what it is made of. For vitest's global setup. */
export default function buildPage(): void {
  if (isOutdated(BUILT_PAGE, ['apps/page', 'libs/status', 'docs'])) {
    execFileSync('npm', ['run', '--silent', 'build:page'], { stdio: 'inherit' });
  }
}

import { spawnSync } from 'node:child_process';

/** Builds the relay. Standard output stays empty. @throws Error if that fails */
export function build() {
  if (spawnSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 2, 2] }).status !== 0) {
    throw new Error('the build failed');
  }
}

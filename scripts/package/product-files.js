import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files of the relay itself: those of the tarball of npm, so that every package has the same ones.
 *
 * @returns {string[]} paths, sorted
 */
export function productFiles() {
  const list = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {[{ files: { path: string }[] }]} */
  const [{ files }] = JSON.parse(list);
  return files.map(({ path }) => path).sort();
}

/**
 * @param {string} folder
 * @param {readonly string[]} paths
 */
export function copyProductFiles(folder, paths) {
  for (const path of paths) {
    cpSync(path, join(folder, path), { dereference: true });
  }
}

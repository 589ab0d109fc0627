/** A folder that is to be packed: modes, times and sums that depend on its content alone. */
import { createHash } from 'node:crypto';
import { chmodSync, lutimesSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An entry of a folder; `path` is relative to it.
 *
 * @typedef {{ path: string, kind: 'file' | 'folder' | 'link' }} Entry
 */

/**
 * All entries below a folder, in an order that does not depend on the file system.
 *
 * @param {string} root
 * @returns {Entry[]}
 */
function entriesOf(root, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        return [folderEntry(path), ...entriesOf(root, path)];
      }
      return [entry.isSymbolicLink() ? linkEntry(path) : fileEntry(path)];
    });
}

/** @param {string} path @returns {Entry} */
const folderEntry = (path) => ({ path, kind: 'folder' });
/** @param {string} path @returns {Entry} */
const fileEntry = (path) => ({ path, kind: 'file' });
/** @param {string} path @returns {Entry} */
const linkEntry = (path) => ({ path, kind: 'link' });

/**
 * Gives everything in a folder its mode, whatever the umask is.
 *
 * @param {string} root
 * @param {Readonly<Record<string, number>>} modes - of paths that are not readable by all and writable by their owner
 */
export function setModes(root, modes) {
  chmodSync(root, 0o755);
  for (const { path, kind } of entriesOf(root)) {
    if (kind !== 'link') {
      chmodSync(join(root, path), modes[path] ?? (kind === 'folder' ? 0o755 : 0o644));
    }
  }
}

/**
 * Removes all folders below a folder that have no files.
 *
 * @param {string} root
 */
export function removeEmptyFolders(root) {
  // Inner ones first.
  for (const { path, kind } of entriesOf(root).reverse()) {
    if (kind === 'folder' && readdirSync(join(root, path)).length === 0) {
      rmdirSync(join(root, path));
    }
  }
}

/**
 * @param {string} root
 * @param {number} seconds - since 1970
 */
export function setTimes(root, seconds) {
  for (const { path } of entriesOf(root)) {
    lutimesSync(join(root, path), seconds, seconds);
  }
  lutimesSync(root, seconds, seconds);
}

/**
 * As `md5sum` prints them.
 *
 * @param {string} root
 */
export function md5sumsOf(root) {
  return entriesOf(root)
    .filter(({ kind }) => kind === 'file')
    .map(({ path }) => {
      const sum = createHash('md5')
        .update(readFileSync(join(root, path)))
        .digest('hex');
      return `${sum}  ${path}\n`;
    })
    .join('');
}

/**
 * What the files take once they are installed, as Debian's own tools estimate it, on any file system.
 *
 * @param {string} root
 */
export function installedKibibytes(root) {
  return entriesOf(root)
    .map(({ path, kind }) =>
      kind === 'file' ? Math.ceil(statSync(join(root, path)).size / 1024) : 1,
    )
    .reduce((sum, size) => sum + size, 0);
}

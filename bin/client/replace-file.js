import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PERMISSIONS = 0o7777;

/**
 * Replaces the content of a file at once: whoever reads it, such as a relay that watches it, finds the old content or the new,
 * never a part. Mode and owner stay; of a symbolic link, the file that it leads to is replaced.
 *
 * @param {string} path
 * @param {string} text
 * @throws {Error} the file is then as it was
 */
export function replaceFile(path, text) {
  const target = realpathSync(path);
  const { mode, uid, gid } = statSync(target);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeFileSync(descriptor, text);
      if (uid !== process.getuid?.() || gid !== process.getgid?.()) {
        fchownSync(descriptor, uid, gid);
      }
      // After the owner, whose change takes bits of the mode away.
      fchmodSync(descriptor, mode & PERMISSIONS);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

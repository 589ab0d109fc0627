import { readFile, readdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';

/** The SHA-256 of every file below a folder, by its path, in order. */
export async function fileTree(
  folder: string,
  includes: (path: string) => boolean = () => true,
): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => includes(relative(folder, path)))
    .sort();
  const digests = paths.map(async (path): Promise<[string, string]> => {
    const digest = createHash('sha256').update(await readFile(path));
    return [relative(folder, path), digest.digest('hex')];
  });
  return Object.fromEntries(await Promise.all(digests));
}

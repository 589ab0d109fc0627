import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Whether a file is older than a file of these folders, or is not there. */
export function isOutdated(built: string, folders: readonly string[]): boolean {
  const builtAtMs = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return newestMs(folders) > builtAtMs;
}

/** When a file was last changed. Folders count as well: removing a file changes its folder. */
function newestMs(folders: readonly string[]): number {
  const paths = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

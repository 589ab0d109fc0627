import type { Directory } from './directory.js';

/** The parts of a directory that a file has. A part that it lacks is undefined. */
export type DirectoryParts = { readonly [Part in keyof Directory]?: Directory[Part] | undefined };

/** A directory file that has been read and found valid. */
export interface ReadDirectoryFile {
  readonly parts: DirectoryParts;
  /** What an operator should fix: one line each, which never shows a value. */
  readonly warnings: readonly string[];
  /** The paths of the files that it names, whose content may change as well. */
  readonly files: readonly string[];
}

/**
 * Reads and validates a directory file, and every file that it names.
 *
 * @param environment - for what the file takes from variables (`{ env: NAME }`)
 * @param nodeEnv - `production` refuses weak secrets
 * @throws ConfigInvalidError with all problems together, each with file, line and key
 */
export function readDirectoryFile(
  path: string,
  environment: NodeJS.ProcessEnv,
  nodeEnv: string,
): ReadDirectoryFile {
  throw new Error(`to be read: ${path} ${nodeEnv} ${Object.keys(environment).length}`);
}

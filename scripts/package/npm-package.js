import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stageProduct } from './staged-product.js';

/** What only a checkout has a use for. */
const ABSENT = { scripts: undefined, devDependencies: undefined, overrides: undefined };

/**
 * Makes the tarball for npm, with all packages that the relay needs in it: its installation needs no registry, and has
 * exactly the versions that were tested. (npm ignores the shrinkwrap and the `overrides` of what it installs.) The
 * repository's own package.json cannot ask for this, because `npm install` does not end if it does.
 *
 * @param {string} folder - where it is to be
 * @returns {string} the path of the tarball
 */
export function packageNpm(folder) {
  const root = mkdtempSync(join(tmpdir(), 'mte-api-relay-npm-'));
  try {
    stageProduct(root);
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    writeFileSync(
      join(root, 'package.json'),
      `${JSON.stringify({ ...manifest, ...ABSENT, bundleDependencies: true }, null, 2)}\n`,
    );
    const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(folder)], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    const [{ filename }] = JSON.parse(printed);
    return join(resolve(folder), filename);
  } finally {
    rmSync(root, { recursive: true });
  }
}

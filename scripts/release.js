/** `npm run release`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../bin/arguments.js';
import { build } from './package/build.js';
import { packageChart } from './package/chart.js';
import { packageDeb } from './package/debian-package.js';
import { engineArchitecture, packageImage } from './package/image-archive.js';
import { packageNpm } from './package/npm-package.js';
import { sbom } from './package/sbom.js';
import { sourceDateSeconds } from './package/source-date.js';
import { releaseProblems, versionOf } from './package/versions.js';

const {
  output,
  unreleased,
  built,
  'without-image': withoutImage,
} = readOptions(
  `Usage: npm run release -- [--output FOLDER] [--unreleased] [--built] [--without-image]

Builds the relay and makes all that is released, in the folder release or in FOLDER: the tarball for npm, the Debian
package, the archive of the Helm chart, the archive of the image, the software bill of materials, and SHA256SUMS of them.
It needs dpkg-deb, GNU tar and a Docker engine, and does nothing if versions, CHANGELOG.md or git say that this is no
release. The same commit makes the same files, byte for byte: docs/releasing.md says when that is true of the image.

  --unreleased     makes them although CHANGELOG.md has no date yet, or files are not committed: for a trial
  --built          takes the build that there is: for a trial too
  --without-image  needs no Docker engine`,
  {
    output: { type: 'string', default: 'release' },
    unreleased: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    'without-image': { type: 'boolean', default: false },
  },
);

const SUMS = 'SHA256SUMS';

/** @param {readonly string[]} args */
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

function release() {
  if (built && !unreleased) {
    throw new Error('a release is built: --built is for a trial, with --unreleased');
  }
  const { version, problems } = versionOf();
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const changedFiles = git('status', '--porcelain', '--untracked-files=all');
  const all = unreleased
    ? problems
    : [...problems, ...releaseProblems(version, { changelog, changedFiles })];
  if (all.length > 0) {
    throw new Error(all.join('\n'));
  }
  // Before anything is made, rather than after all the rest.
  const architecture = withoutImage ? undefined : engineArchitecture();
  emptyOutput();
  const dateSeconds = sourceDateSeconds();
  if (!built) {
    build();
  }
  packageNpm(output);
  packageDeb(output);
  packageChart(output, dateSeconds);
  writeFileSync(
    join(output, `mte-api-relay-${version}-sbom.cdx.json`),
    `${JSON.stringify(sbom(dateSeconds), null, 2)}\n`,
  );
  if (architecture !== undefined) {
    packageImage(output, { version, revision: git('rev-parse', 'HEAD'), architecture });
  }
  writeSums();
}

/** Removes what an earlier release left in the folder, and nothing else: the option may name any folder. */
function emptyOutput() {
  if (existsSync(output)) {
    const names = readdirSync(output);
    if (names.length > 0 && !names.includes(SUMS)) {
      throw new Error(
        `${output} has files, and no ${SUMS} of an earlier release: name another folder`,
      );
    }
    rmSync(output, { recursive: true });
  }
  mkdirSync(output, { recursive: true });
}

/** As `sha256sum` writes them, so that `sha256sum --check SHA256SUMS` reads them. */
function writeSums() {
  const files = readdirSync(output).sort();
  const lines = files.map((name) => {
    const bytes = readFileSync(join(output, name));
    console.log(`${(bytes.length / 1024 ** 2).toFixed(1).padStart(6)} MiB  ${name}`);
    return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(output, SUMS), lines.join(''));
}

try {
  release();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

/** The archive of the Helm chart, which is the same, byte for byte, wherever and whenever it is made. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const CHARTS = 'deploy/helm';
const CHART = 'mte-api-relay';
/** What `helm package` leaves open: what the file system says of the files. */
const REPRODUCIBLE = [
  '--format=ustar',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--mode=u=rwX,go=rX',
];

/**
 * Packs the chart into a folder. The archive is named like a chart of Helm, except that the package for npm already has
 * that name.
 *
 * @param {string} folder
 * @param {number} epochSeconds - the time of all files in the archive
 * @returns {string} the path of the archive
 */
export function packageChart(folder, epochSeconds) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  // Sorted by git, and without what lies in the folder besides, such as values with secrets.
  const names = execFileSync('git', ['ls-files', '-z', CHART], { cwd: CHARTS });
  const { status, stdout, stderr } = spawnSync(
    'tar',
    [
      '--create',
      ...REPRODUCIBLE,
      `--mtime=@${epochSeconds}`,
      '--no-recursion',
      '--null',
      '--files-from=-',
    ],
    { cwd: CHARTS, input: names, maxBuffer: 16 * 1024 * 1024 },
  );
  if (status !== 0) {
    throw new Error(`tar could not pack ${CHART}: ${String(stderr)}`);
  }
  const archive = join(folder, `mte-api-relay-chart-${version}.tgz`);
  writeFileSync(archive, gzipSync(stdout, { level: 9 }));
  return archive;
}

import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** The architecture of the engine, and thus of its images, such as amd64. @throws Error if no engine responds */
export const engineArchitecture = () =>
  run('docker', ['version', '--format', '{{.Server.Arch}}']).trim();

/**
 * Builds the image, and writes it as `docker load` reads it.
 *
 * @param {string} folder - where it is to be
 * @param {{ version: string, revision: string, architecture: string }} image
 * @returns {string} the path of the archive
 */
export function packageImage(folder, { version, revision, architecture }) {
  const tag = `mte-api-relay:${version}`;
  run('docker', [
    ...['build', '--quiet', '--tag', tag],
    ...['--build-arg', `VERSION=${version}`, '--build-arg', `REVISION=${revision}`, '.'],
  ]);
  const archive = join(folder, `mte-api-relay-${version}-image-${architecture}.tar.gz`);
  const file = openSync(archive, 'w');
  try {
    // Without the time in the gzip header. A pipe, because the archive itself is larger than what is worth keeping.
    run('bash', ['-o', 'pipefail', '-c', 'docker save "$0" | gzip -n', tag], file);
  } finally {
    closeSync(file);
  }
  return archive;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {'pipe' | number} stdout
 */
function run(command, args, stdout = 'pipe') {
  const {
    status,
    error,
    stderr,
    stdout: printed,
  } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'pipe'],
  });
  if (status !== 0) {
    throw new Error(`${command} ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
  }
  return printed;
}

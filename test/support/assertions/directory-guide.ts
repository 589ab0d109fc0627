import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { temporaryFolder, type TemporaryFolder } from '../lifecycle/temporary-folder.js';
import { read, ROOT } from './deploy-files.js';
import { blocksOf, under } from './guide-text.js';

/** The section of docs/deployment.md about a directory file. */
export const DIRECTORY_GUIDE = under(read('docs/deployment.md'), 2, 'With a directory file');

/** What the steps before this section leave behind. */
const BEFORE = `
  mkdir receiving sending
  openssl rand -base64 32 | tee {receiving,sending}/client-id-secret receiving/redis-{password,url}`;
/** Keep what would be created, each under its name: in a swarm, or for Kubernetes in its namespace. */
const PROGRAMS = `
  docker() { if [ "$2" = create ]; then mkdir -p created; cp "$4" "created/$3"; fi; }
  kubectl() {
    local folder="created/$6-$4"
    mkdir -p "$folder"
    while [ $# -gt 0 ]; do
      if [ "$1" = --from-file ]; then cp "$2" "$folder"; fi
      shift
    done
  }`;

/** Runs the preparation, and then further commands, as documents print them, in a folder of their own. */
export async function followDirectoryGuide(...blocks: readonly string[]): Promise<TemporaryFolder> {
  const [preparation = ''] = blocksOf(DIRECTORY_GUIDE);
  const folder = await temporaryFolder();
  cpSync(join(ROOT, 'deploy'), join(folder.path, 'deploy'), { recursive: true });
  const script = [BEFORE, PROGRAMS, preparation, ...blocks].join('\n');
  const { status, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: folder.path,
    // With a socket as its input, bash takes itself for a remote shell, and reads its start-up file.
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return folder;
}

import { chmodSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { ROOT } from '../support/assertions/deploy-files.js';
import { CHART, hasHelm, ran, rendered } from '../support/assertions/helm-chart.js';
import { SEND } from '../support/assertions/helm-values.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { runs } from '../support/programs/program.js';

const shared = sharedResources();
let folder: string;
let archive: string;

/** Packs into a folder as a release does, and returns the path that is printed. */
const packed = async (to: string): Promise<string> => {
  const args = ['scripts/package-chart.js', '--to', to];
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  return (await runs(process.execPath, args, { cwd: ROOT, env })).trim();
};

beforeAll(async () => {
  folder = shared(await temporaryFolder()).path;
  archive = await packed(folder);
});

describe('the archive of the Helm chart', () => {
  it('is the same again, whatever the file system says of the time and the mode of a file', async () => {
    const again = join(folder, 'again');
    const file = join(CHART, 'Chart.yaml');
    const { mode, atime, mtime } = statSync(file);
    forThisTest({
      close: () => {
        chmodSync(file, mode);
        utimesSync(file, atime, mtime);
        return Promise.resolve();
      },
    });
    chmodSync(file, 0o600);
    utimesSync(file, 1, 1);

    const second = await packed(again);

    expect(basename(second)).toBe(basename(archive));
    expect(readFileSync(second).equals(readFileSync(archive))).toBe(true);
  });

  it('has nothing of the machine that made it', async () => {
    const list = await runs('tar', ['--list', '--verbose', '--utc', '--file', archive]);
    for (const line of list.trim().split('\n')) {
      expect(line).toMatch(/^(?:-rw-r--r--|drwxr-xr-x) 0\/0 +\d+ 2023-11-14 22:13 mte-api-relay\//);
    }
  });

  it.skipIf(!hasHelm)('is a chart, which makes what its folder makes', () => {
    expect(rendered(SEND, archive)).toEqual(rendered(SEND));
    const { status, stdout } = ran('helm', ['show', 'readme', archive]);
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toContain('# MTE API Relay');
  });
});

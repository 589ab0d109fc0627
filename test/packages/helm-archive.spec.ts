import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

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

const AT_A_TIME = { SOURCE_DATE_EPOCH: '1700000000' };

/** Packs into a folder as a release does, and returns the path that is printed. */
const packed = async (to: string, env: Readonly<Record<string, string>>): Promise<string> => {
  const args = ['scripts/package/chart-command.js', '--output', to];
  return (await runs(process.execPath, args, { cwd: ROOT, env })).trim();
};

beforeAll(async () => {
  folder = shared(await temporaryFolder()).path;
  archive = await packed(folder, AT_A_TIME);
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

    const second = await packed(again, AT_A_TIME);

    expect(basename(second)).toBe(basename(archive));
    expect(readFileSync(second).equals(readFileSync(archive))).toBe(true);
  });

  it('has only files that git knows, whatever lies beside them', async () => {
    const secrets = join(CHART, '.env');
    forThisTest({ close: () => rm(secrets) });
    writeFileSync(secrets, 'OUTBOUND_TOKEN=a', { flag: 'wx' });

    const beside = await packed(join(folder, 'beside'), AT_A_TIME);
    const list = await runs('tar', ['--list', '--file', beside]);

    const known = await runs('git', ['ls-files', 'mte-api-relay'], { cwd: dirname(CHART) });
    expect(list).toBe(known);
  });

  it('has the time of the commit, unless another one is given', async () => {
    const ofCommit = await packed(join(folder, 'commit'), {});
    const seconds = await runs('git', ['log', '-1', '--format=%ct'], { cwd: ROOT });
    const same = await packed(join(folder, 'same'), { SOURCE_DATE_EPOCH: seconds.trim() });
    expect(readFileSync(ofCommit).equals(readFileSync(same))).toBe(true);
  });

  it('has nothing of the machine that made it', async () => {
    const list = await runs('tar', ['--list', '--verbose', '--utc', '--file', archive]);
    for (const line of list.trim().split('\n')) {
      expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 2023-11-14 22:13 mte-api-relay\//);
    }
  });

  it.skipIf(!hasHelm)('is a chart, which makes what its folder makes', () => {
    expect(rendered(SEND, archive)).toEqual(rendered(SEND));
    const { status, stdout } = ran('helm', ['show', 'readme', archive]);
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toContain('# MTE API Relay');
  });
});

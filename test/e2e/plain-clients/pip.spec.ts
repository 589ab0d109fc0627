import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { hasProgram } from '../../support/processes/apt-packages.js';
import {
  CLIENT_WAYS,
  apiRequests,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { runs } from '../../support/programs/program.js';
import { hasNginx, startNginx } from '../../support/upstreams/nginx.js';

const WHEEL = 'relay_sample-1.2.3-py3-none-any.whl';

/** Writes a wheel, which is a ZIP file, with Python's own library. */
const WRITE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    info = 'relay_sample-1.2.3.dist-info/'
    wheel.writestr('relay_sample.py', 'ANSWER = 42\\n' * 20000)
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: relay-sample\\nVersion: 1.2.3\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

/** pip with an index, and nothing else that it is configured with. */
async function downloadPackage(way: ClientWay) {
  const folder = forThisTest(await temporaryFolder());
  const { hostname } = new URL(way.url);
  // It trusts loopback by itself.
  const trusted = way.proxy === undefined ? [] : ['--trusted-host', hostname];
  const index = ['--index-url', `${way.url}/simple/`, ...trusted];
  await runs(
    'python3',
    [
      '-m',
      'pip',
      'download',
      '--isolated',
      '--no-deps',
      '--no-cache-dir',
      '--dest=got',
      ...index,
      'relay-sample',
    ],
    { cwd: folder.path, env: { PIP_CONFIG_FILE: '/dev/null', ...way.env } },
  );
  return { files: await fileTree(join(folder.path, 'got')), received: apiRequests(way) };
}

const isThere = hasNginx() && hasProgram(['python3-pip'], 'python3', '-m', 'pip', '--version');

describe.skipIf(!isThere)('pip', () => {
  it.each(CLIENT_WAYS)('downloads a package through %s as directly', async (name) => {
    const nginx = forThisTest(await startNginx());
    const project = join(nginx.root, 'simple/relay-sample');
    await mkdir(project, { recursive: true });
    await runs('python3', ['-c', WRITE_WHEEL, join(project, WHEEL)]);

    const directly = await downloadPackage(forThisTest(await directClient(nginx)));
    const through = await downloadPackage(forThisTest(await relayedClient(name, nginx)));

    expect(through).toEqual(directly);
    expect(Object.keys(directly.files)).toEqual([WHEEL]);
  });
});

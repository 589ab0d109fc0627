import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
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
import { hasNginx, startNginx, type Nginx } from '../../support/upstreams/nginx.js';

/** apt asks for several packages before it has the first. */
const PACKAGES = ['relay-one', 'relay-two', 'relay-three', 'relay-four'];

/** A mirror with packages of this test. */
async function startMirror(): Promise<Nginx> {
  const nginx = forThisTest(await startNginx());
  const mirror = join(nginx.root, 'debian');
  const folder = forThisTest(await temporaryFolder());
  await mkdir(mirror);
  for (const name of PACKAGES) {
    const source = join(folder.path, name);
    await mkdir(join(source, 'DEBIAN'), { recursive: true });
    await writeFile(join(source, 'content'), bytesOfSize(200_000));
    await writeFile(
      join(source, 'DEBIAN/control'),
      `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: a\n`,
    );
    await runs('dpkg-deb', ['--build', '--root-owner-group', source, mirror]);
  }
  await writeFile(
    join(mirror, 'Packages'),
    await runs('dpkg-scanpackages', ['--multiversion', '.'], { cwd: mirror }),
  );
  return nginx;
}

/** apt with a root of its own, which knows this mirror only. */
async function updateAndDownload(way: ClientWay, proxy: readonly string[]) {
  const root = forThisTest(await temporaryFolder());
  const folders = ['etc/apt/preferences.d', 'state/lists/partial', 'cache/archives/partial', 'got'];
  for (const folder of folders) {
    await mkdir(join(root.path, folder), { recursive: true });
  }
  await writeFile(join(root.path, 'status'), '');
  await writeFile(join(root.path, 'sources.list'), `deb [trusted=yes] ${way.url}/debian ./\n`);
  const options = [
    `Dir::Etc=${root.path}/etc/apt`,
    `Dir::Etc::SourceList=${root.path}/sources.list`,
    `Dir::State=${root.path}/state`,
    `Dir::State::Status=${root.path}/status`,
    `Dir::Cache=${root.path}/cache`,
    'Acquire::Retries=0',
    'Acquire::Languages=none',
    // The user of apt may not read the folder.
    'APT::Sandbox::User=root',
    ...proxy,
  ].flatMap((option) => ['-o', option]);
  const apt = (...args: string[]) =>
    // Without the file of the machine, which may have a proxy of its own.
    runs('apt-get', [...options, ...args], {
      cwd: join(root.path, 'got'),
      env: { APT_CONFIG: '/dev/null', ...way.env },
    });
  await apt('update');
  await apt('download', ...PACKAGES);
  return { files: await fileTree(join(root.path, 'got')), received: apiRequests(way) };
}

const isThere =
  hasNginx() &&
  hasProgram(['apt'], 'apt-get', '--version') &&
  hasProgram(['dpkg-dev'], 'dpkg-scanpackages', '--version');

describe.skipIf(!isThere)('apt', () => {
  it.each(CLIENT_WAYS)('updates and downloads through %s as directly', async (name) => {
    const mirror = await startMirror();
    const direct = forThisTest(await directClient(mirror));
    const relayed = forThisTest(await relayedClient(name, mirror));
    const { proxy } = relayed;

    const directly = await updateAndDownload(direct, ['Acquire::http::Proxy=DIRECT']);
    const through = await updateAndDownload({ ...relayed, env: {} }, [
      `Acquire::http::Proxy=${proxy ?? 'DIRECT'}`,
    ]);

    expect(through).toEqual(directly);
    expect(Object.keys(directly.files)).toHaveLength(PACKAGES.length);
  });
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { directWay, tunnelledWay, type Way } from '../../support/programs/both-ways.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { linesOf } from '../../support/programs/forward.js';
import { runs } from '../../support/programs/program.js';
import { hasVerdaccio, startVerdaccio, type Verdaccio } from '../../support/programs/verdaccio.js';

/** What npm stores with the time, or a random number. */
const VARYING = ['package.json', '.verdaccio-db.json'];

const PACKAGES = [
  { name: '@relay/base', version: '1.2.3' },
  { name: 'relay-user', version: '2.0.0-rc.1', dependencies: { '@relay/base': '^1.0.0' } },
];

/** Publishes both packages and installs them as dependencies of a third, as a user of npm does. */
async function publishAndInstall(way: Way, verdaccio: Verdaccio) {
  const folder = forThisTest(await temporaryFolder());
  // Caches of their own: npm does not fetch what it has packed itself.
  const npm = (where: string, command: string, ...args: string[]) =>
    runs('npm', [command, '--cache', join(folder.path, `${command}-cache`), ...args], {
      cwd: where,
      env: { HOME: folder.path },
    });
  await writeFile(join(folder.path, '.npmrc'), await settings(way));
  for (const manifest of PACKAGES) {
    const source = join(folder.path, manifest.name.replace('/', '-'));
    await mkdir(source);
    await writeFile(join(source, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(source, 'data.bin'), bytesOfSize(300_000));
    await npm(source, 'publish', '--tag', 'latest');
  }
  const user = join(folder.path, 'project');
  await mkdir(user);
  await writeFile(join(user, 'package.json'), '{ "name": "project", "private": true }');
  await npm(user, 'install', 'relay-user');
  const lock = await readFile(join(user, 'package-lock.json'), 'utf8');
  return {
    lock: lock.replaceAll(way.url, '<origin>'),
    installed: await fileTree(join(user, 'node_modules'), (path) => path !== '.package-lock.json'),
    stored: await fileTree(
      verdaccio.storage,
      (path) => !VARYING.some((name) => path.endsWith(name)),
    ),
    requests: linesOf(way),
  };
}

/** A user of the registry, and npm without anything that it does on its own. */
async function settings(way: Way): Promise<string> {
  const response = await fetch(`${way.url}/-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: 'correct horse battery staple' }),
  });
  const { token } = (await response.json()) as { readonly token: string };
  return [
    `registry=${way.url}/`,
    `//${new URL(way.url).host}/:_authToken=${token}`,
    'audit=false',
    'fund=false',
    'update-notifier=false',
  ].join('\n');
}

describe.skipIf(!hasVerdaccio())('npm and verdaccio', () => {
  it('publish and install through the tunnel as they do directly (UPSTREAM_HOST=client)', async () => {
    const [one, other] = [forThisTest(await startVerdaccio()), forThisTest(await startVerdaccio())];
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, { UPSTREAM_HOST: 'client' }));

    const [directly, tunnelled] = await Promise.all([
      publishAndInstall(direct, one),
      publishAndInstall(tunnel, other),
    ]);

    expect(tunnelled).toEqual(directly);
    expect(Object.keys(directly.installed)).toHaveLength(4);
    expect(directly.lock).toContain(
      '"resolved": "<origin>/relay-user/-/relay-user-2.0.0-rc.1.tgz"',
    );
    expect(directly.requests).toContain('GET /relay-user/-/relay-user-2.0.0-rc.1.tgz 200');
  });

  it('leave the tunnel for tarballs unless UPSTREAM_HOST is client', async () => {
    const verdaccio = forThisTest(await startVerdaccio());
    const tunnel = forThisTest(await tunnelledWay(verdaccio));

    const { lock, requests } = await publishAndInstall(tunnel, verdaccio);

    expect(lock).toContain(`"resolved": "${verdaccio.url}/relay-user/-/relay-user-2.0.0-rc.1.tgz"`);
    expect(requests.filter((line) => line.includes('.tgz'))).toEqual([]);
  });
});

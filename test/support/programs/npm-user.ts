import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bytesOfSize } from '../http-cases/bodies.js';
import { forThisTest } from '../lifecycle/resources.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { fileTree } from './file-tree.js';
import { linesOf } from './forward.js';
import { runs } from './program.js';
import type { Way } from './both-ways.js';
import type { Verdaccio } from './verdaccio.js';

/** What npm stores with the time, or a random number. */
const VARYING = ['package.json', '.verdaccio-db.json'];

const PACKAGES = [
  { name: '@relay/base', version: '1.2.3' },
  { name: 'relay-user', version: '2.0.0-rc.1', dependencies: { '@relay/base': '^1.0.0' } },
];

/** Publishes both packages and installs them as dependencies of a third, as a user of npm does. */
export async function publishAndInstall(way: Way, verdaccio: Verdaccio) {
  const folder = forThisTest(await temporaryFolder());
  // Caches of their own: npm does not fetch what it has packed itself.
  const npm = (where: string, command: string, ...args: string[]) =>
    runs('npm', [command, '--cache', join(folder.path, `${command}-cache`), ...args], {
      cwd: where,
      env: { HOME: folder.path, ...way.env },
    });
  await writeFile(join(folder.path, '.npmrc'), settings(way, await tokenOf(verdaccio)));
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

/** Makes a user of the registry, who may publish. */
async function tokenOf({ url }: Verdaccio): Promise<string> {
  const response = await fetch(`${url}/-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: 'correct horse battery staple' }),
  });
  const { token } = (await response.json()) as { readonly token: string };
  return token;
}

/** npm without anything that it does on its own. */
function settings({ url }: Way, token: string): string {
  return [
    `registry=${url}/`,
    `//${new URL(url).host}/:_authToken=${token}`,
    'audit=false',
    'fund=false',
    'update-notifier=false',
  ].join('\n');
}

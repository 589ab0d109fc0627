import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { closedPort } from '../network/listen.js';
import { hasNpmProgram, packageFolder } from './npm-program.js';
import { startService, type Service } from './service.js';

const VERDACCIO = {
  name: 'verdaccio',
  dependencies: { verdaccio: '6.2.9' },
  overrides: { 'node-fetch': '2.7.0' },
};

/** Whether verdaccio is installed; prints a warning if it is not. */
export const hasVerdaccio = (): boolean => hasNpmProgram(VERDACCIO);

/** A real npm registry, which knows no other registry. */
export interface Verdaccio extends Service {
  /** The folder of the published packages. */
  readonly storage: string;
}

export async function startVerdaccio(): Promise<Verdaccio> {
  const folder = await temporaryFolder();
  const port = await closedPort(createServer());
  const storage = join(folder.path, 'storage');
  const config = join(folder.path, 'config.json');
  await mkdir(storage);
  // JSON is YAML, which verdaccio reads.
  await writeFile(config, JSON.stringify(configuration(storage, join(folder.path, 'users'))));
  const service = await startService(
    'node',
    [
      join(packageFolder(VERDACCIO, 'verdaccio'), 'bin/verdaccio'),
      '--config',
      config,
      '--listen',
      `127.0.0.1:${port}`,
    ],
    { folder, port },
  );
  return { ...service, storage };
}

const configuration = (storage: string, users: string): object => ({
  storage,
  auth: { htpasswd: { file: users } },
  uplinks: {},
  packages: { '**': { access: '$all', publish: '$authenticated' } },
  web: { enable: false },
  log: { type: 'stdout', format: 'json', level: 'warn' },
});

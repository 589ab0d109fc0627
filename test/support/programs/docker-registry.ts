import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { closedPort } from '../network/listen.js';
import { hasProgram } from '../processes/apt-packages.js';
import { startService, type Service } from './service.js';

/** Whether Debian's registry and a client of it are installed; prints a warning if they are not. */
export const hasDockerRegistry = (): boolean =>
  hasProgram(['docker-registry'], 'docker-registry', '--version') &&
  hasProgram(['skopeo'], 'skopeo', '--version');

/** A real container registry. */
export interface DockerRegistry extends Service {
  /** The folder of blobs and repositories. */
  readonly storage: string;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const folder = await temporaryFolder();
  const port = await closedPort(createServer());
  const storage = join(folder.path, 'storage');
  const config = join(folder.path, 'config.yml');
  await mkdir(storage);
  await writeFile(config, configuration(storage, port));
  const service = await startService('docker-registry', ['serve', config], { folder, port });
  return { ...service, storage };
}

const configuration = (storage: string, port: number): string => `
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: ${storage} }
  delete: { enabled: true }
http:
  addr: 127.0.0.1:${port}
  secret: of-the-tests
`;

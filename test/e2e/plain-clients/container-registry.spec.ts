import { describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import {
  CLIENT_WAYS,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import {
  hasDockerRegistry,
  startDockerRegistry,
  type DockerRegistry,
} from '../../support/programs/docker-registry.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { writeOciImage } from '../../support/programs/oci-image.js';
import { runs } from '../../support/programs/program.js';

/** Pushes an image to the registry, and pulls it back. */
async function pushAndPull(way: ClientWay, registry: DockerRegistry) {
  const [image, pulled] = [
    forThisTest(await temporaryFolder()),
    forThisTest(await temporaryFolder()),
  ];
  await writeOciImage(image.path, [bytesOfSize(3_000_000), bytesOfSize(100)]);
  const skopeo = (...args: string[]): Promise<string> =>
    runs('skopeo', ['--insecure-policy', ...args], { cwd: image.path, env: way.env });
  const name = `docker://${new URL(way.url).host}/team/app:1.0`;
  await skopeo('copy', '--dest-tls-verify=false', `oci:${image.path}:1.0`, name);
  await skopeo('copy', '--src-tls-verify=false', name, `dir:${pulled.path}`);
  return {
    pulled: await fileTree(pulled.path),
    stored: await fileTree(registry.storage, (path) => !path.includes('_uploads')),
  };
}

describe.skipIf(!hasDockerRegistry())('skopeo and docker-registry', () => {
  it.each(CLIENT_WAYS)('push and pull through %s as they do directly', async (name) => {
    const one = forThisTest(await startDockerRegistry());
    const other = forThisTest(await startDockerRegistry());
    const relayed = forThisTest(await relayedClient(name, other));

    const directly = await pushAndPull(forThisTest(await directClient(one)), one);
    const through = await pushAndPull(relayed, other);

    expect(through).toEqual(directly);
    // Uploads go where the registry says that it is.
    expect(relayed.exchanges.some(({ method }) => method === 'PATCH')).toBe(true);
  });
});

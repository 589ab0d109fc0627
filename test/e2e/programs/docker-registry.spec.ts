import { beforeAll, describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { directWay, tunnelledWay, type Way } from '../../support/programs/both-ways.js';
import {
  hasDockerRegistry,
  startDockerRegistry,
  type DockerRegistry,
} from '../../support/programs/docker-registry.js';
import { fileTree } from '../../support/programs/file-tree.js';
import { comparableExchanges, linesOf } from '../../support/programs/forward.js';
import { writeOciImage } from '../../support/programs/oci-image.js';
import { runs } from '../../support/programs/program.js';

const shared = sharedResources();
let image: TemporaryFolder;
let digest: string;

beforeAll(async () => {
  image = shared(await temporaryFolder());
  digest = await writeOciImage(image.path, [bytesOfSize(3_000_000), bytesOfSize(100)]);
});

const COMPARED = {
  fields: ['content-type', 'docker-content-digest', 'etag', 'location', 'range'],
  // The registry names every upload at random, and describes its state in its address.
  varying: [/(?<=\/uploads\/)[^ ]+/g],
};
/** REWRITE_LOCATION makes a path of a URL, which leads to the same place. */
const COMPARED_BY_PATH = {
  ...COMPARED,
  varying: [...COMPARED.varying, /^(?:<origin>)?(?=\/v2\/)/g],
};

const skopeo = (...args: string[]): Promise<string> =>
  runs('skopeo', ['--insecure-policy', ...args], { cwd: image.path });

/** Pushes the image to the registry, looks at it, and pulls it back. */
async function pushAndPull(way: Way, registry: DockerRegistry, compared = COMPARED) {
  const pulled = forThisTest(await temporaryFolder());
  const name = `docker://${new URL(way.url).host}/team/app:1.0`;
  await skopeo('copy', '--dest-tls-verify=false', `oci:${image.path}:1.0`, name);
  const seen = await skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', name);
  await skopeo('copy', '--src-tls-verify=false', name, `dir:${pulled.path}`);
  return {
    seen: seen.trim(),
    pulled: await fileTree(pulled.path),
    stored: await fileTree(registry.storage, (path) => !path.includes('_uploads')),
    exchanges: comparableExchanges(way, compared),
  };
}

describe.skipIf(!hasDockerRegistry())('skopeo and docker-registry', () => {
  it.each([
    ['UPSTREAM_HOST=client', { UPSTREAM_HOST: 'client' }, COMPARED],
    ['FORWARDED_HEADERS=true', { FORWARDED_HEADERS: 'true' }, COMPARED],
    ['REWRITE_LOCATION=true', { REWRITE_LOCATION: 'true' }, COMPARED_BY_PATH],
  ])('push and pull through the tunnel as they do directly (%s)', async (...row) => {
    const [, inbound, compared] = row;
    const one = forThisTest(await startDockerRegistry());
    const other = forThisTest(await startDockerRegistry());
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, inbound));

    const [directly, tunnelled] = await Promise.all([
      pushAndPull(direct, one, compared),
      pushAndPull(tunnel, other, compared),
    ]);

    expect(tunnelled).toEqual(directly);
    expect(directly.seen).toBe(digest);
    expect(linesOf(tunnel).join('\n')).toMatch(/^PATCH .* 202$/m);
  });

  it('upload outside the tunnel without any of these options', async () => {
    const registry = forThisTest(await startDockerRegistry());
    const tunnel = forThisTest(await tunnelledWay(registry));

    const { seen } = await pushAndPull(tunnel, registry);

    expect(seen).toBe(digest);
    expect(linesOf(tunnel).filter((line) => line.startsWith('PATCH'))).toEqual([]);
    expect(tunnel.exchanges.map(({ headers }) => headers.location ?? '').join('\n')).toContain(
      `${registry.url}/v2/team/app/blobs/uploads/`,
    );
  });
});

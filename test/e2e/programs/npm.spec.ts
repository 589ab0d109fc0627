import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { directWay, tunnelledWay } from '../../support/programs/both-ways.js';
import { publishAndInstall } from '../../support/programs/npm-user.js';
import { hasVerdaccio, startVerdaccio } from '../../support/programs/verdaccio.js';

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

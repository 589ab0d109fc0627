import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { CLIENT_WAYS, directClient, relayedClient } from '../../support/programs/client-ways.js';
import { publishAndInstall } from '../../support/programs/npm-user.js';
import { hasVerdaccio, startVerdaccio } from '../../support/programs/verdaccio.js';

describe.skipIf(!hasVerdaccio())('npm and verdaccio', () => {
  it.each(CLIENT_WAYS)('publish and install through %s as they do directly', async (name) => {
    const [one, other] = [forThisTest(await startVerdaccio()), forThisTest(await startVerdaccio())];
    const direct = forThisTest(await directClient(one));
    const relayed = forThisTest(await relayedClient(name, other));

    const directly = await publishAndInstall(direct, one);
    const through = await publishAndInstall(relayed, other);

    expect(through).toEqual(directly);
    expect(Object.keys(directly.installed)).toHaveLength(4);
    expect(directly.lock).toContain('<origin>/relay-user/-/relay-user-2.0.0-rc.1.tgz');
    expect(directly.requests).toContain('GET /relay-user/-/relay-user-2.0.0-rc.1.tgz 200');
  });
});

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { hasIntermediary, startIntermediary } from '../../support/network/intermediaries.js';
import { checkOf } from '../../support/relays/check.js';
import { startRelay } from '../../support/relays/relay.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';

const startPath = async () => {
  const relayB = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
  return forThisTest(await startIntermediary('nginx', relayB.port));
};

describe.skipIf(!hasIntermediary('nginx'))('behind nginx as docs/deployment.md says', () => {
  it('every step passes, and nginx is named at the step path', async () => {
    const { step, failed } = await checkOf((await startPath()).url);
    expect(failed).toEqual([]);
    expect(step('path').detail).toContain('server: nginx');
  });

  it('another secret is told from another audience', async () => {
    const environment = { CLIENT_ID_SECRET: newSecret() };
    const { step, failed } = await checkOf((await startPath()).url, environment);
    expect(failed).toEqual(['secret']);
    expect(step('secret')).toMatchObject({ code: 'CHECK_SECRET_DIFFERS' });
  });
});

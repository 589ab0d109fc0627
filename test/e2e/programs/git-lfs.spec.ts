import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { directWay, tunnelledWay } from '../../support/programs/both-ways.js';
import { linesOf } from '../../support/programs/forward.js';
import { hasGitLfs, startGitServer } from '../../support/programs/git-server.js';
import { pushAndClone } from '../../support/programs/git-user.js';
import { startRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';

describe.skipIf(!hasGitLfs())('git and git-lfs', () => {
  it('push and clone through the tunnel as they do directly (UPSTREAM_HOST=client)', async () => {
    const one = forThisTest(await startGitServer());
    const other = forThisTest(await startGitServer());
    const direct = forThisTest(await directWay(one));
    const tunnel = forThisTest(await tunnelledWay(other, { UPSTREAM_HOST: 'client' }));

    const [directly, tunnelled] = await Promise.all([
      pushAndClone(direct, one),
      pushAndClone(tunnel, other),
    ]);

    expect(tunnelled).toEqual(directly);
    // Not their bodies: Git does not pack the same objects in the same way every time.
    expect(linesOf(tunnel)).toEqual(linesOf(direct));
    expect(directly.large).toBe(true);
    const lines = linesOf(tunnel).map((line) => line.replace(/[0-9a-f]{64}/, '<oid>'));
    expect(lines).toContain('PUT /team/app.git/lfs-objects/<oid> 200');
    expect(lines).toContain('GET /team/app.git/lfs-objects/<oid> 200');
    expect(lines).toContain('POST /team/app.git/git-receive-pack 200');
  });

  it('add the token themselves, by http.<url>.extraHeader', async () => {
    const server = forThisTest(await startGitServer());
    const inbound = forThisTest(
      await startRelay({ UPSTREAM: server.url, UPSTREAM_HOST: 'client' }),
    );
    const outbound = forThisTest(await startRelay());
    const { clientHeaders } = tunnelClient(outbound.url, inbound.url);
    const settings = Object.entries(clientHeaders).map(([name, value]) => `${name}: ${value}`);

    const { large } = await pushAndClone({ url: outbound.url, settings }, server);

    expect(large).toBe(true);
    // Only the upload of a large file is a PUT.
    expect(outbound.log.items.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  it('transfer large files outside the tunnel unless UPSTREAM_HOST is client', async () => {
    const server = forThisTest(await startGitServer());
    const tunnel = forThisTest(await tunnelledWay(server));

    const { large } = await pushAndClone(tunnel, server);

    expect(large).toBe(true);
    expect(linesOf(tunnel).filter((line) => line.includes('lfs-objects'))).toEqual([]);
  });
});

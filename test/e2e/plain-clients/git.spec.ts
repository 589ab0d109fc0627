import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { CLIENT_WAYS, directClient, relayedClient } from '../../support/programs/client-ways.js';
import { linesOf } from '../../support/programs/forward.js';
import { hasGitLfs, startGitServer } from '../../support/programs/git-server.js';
import { pushAndClone } from '../../support/programs/git-user.js';

describe.skipIf(!hasGitLfs())('git and git-lfs', () => {
  it.each(CLIENT_WAYS)('push and clone through %s as they do directly', async (name) => {
    const [one, other] = [forThisTest(await startGitServer()), forThisTest(await startGitServer())];
    const direct = forThisTest(await directClient(one));
    const relayed = forThisTest(await relayedClient(name, other));

    const directly = await pushAndClone(direct, one);
    const through = await pushAndClone(relayed, other);

    expect(through).toEqual(directly);
    expect(linesOf(relayed)).toEqual(linesOf(direct));
    expect(directly.large).toBe(true);
    const lines = linesOf(relayed).map((line) => line.replace(/[0-9a-f]{64}/, '<oid>'));
    expect(lines).toContain('POST /team/app.git/git-receive-pack 200');
    expect(lines).toContain('PUT /team/app.git/lfs-objects/<oid> 200');
  });
});

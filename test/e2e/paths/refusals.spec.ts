import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { errorOf } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  PROGRAMS,
  hasIntermediary,
  startIntermediary,
} from '../../support/network/intermediaries.js';
import { closedPort } from '../../support/network/listen.js';
import { startRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startPathTunnel } from '../../support/tunnels/path-tunnel.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

describe.each(PROGRAMS)('%s in front of a relay B that does not run', (program) => {
  it.skipIf(!hasIntermediary(program))(
    'makes A say that B is unreachable, and the tunnel works soon after B has started',
    async () => {
      const port = await closedPort(createServer());
      const upstream = forThisTest(await startUpstream());
      const intermediary = forThisTest(await startIntermediary(program, port));
      const outbound = forThisTest(await startRelay());
      const client = tunnelClient(outbound.url, intermediary.url);

      const failure = await client.send();

      expect(failure.status).toBe(502);
      expect(errorOf(failure)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
      // A pipe of Varnish has no status: the connection ends.
      expect(errorOf(failure).message).toMatch(
        program === 'Varnish' ? /cannot be reached/ : /responded itself, with status 50[23]/,
      );
      forThisTest(await startRelay({ UPSTREAM: upstream.url, PORT: String(port) }));

      await expect
        .poll(async () => (await client.send()).status, { timeout: 40_000, interval: 200 })
        .toBe(200);
    },
  );
});

/** What nginx is told instead of what docs/deployment.md says, and the advice that follows from its response. */
const NGINX_REFUSALS = [
  ['a limit on bodies', 'client_max_body_size 0', 'client_max_body_size 4k', 'status 413', 'size'],
  [
    'a rule',
    'location / {',
    'location = /api/mte-tunnel { return 403; } location / {',
    'status 403',
    'log',
  ],
] as const;

describe.skipIf(!hasIntermediary('nginx'))('nginx between the relays, with', () => {
  it.each(NGINX_REFUSALS)(
    '%s makes A name its status and what to do',
    async (_what, from, to, status, advice) => {
      const path = forThisTest(
        await startPathTunnel('nginx', 'between the relays', {
          adjust: (block) => block.replace(from, to),
        }),
      );

      const response = await path.send({ method: 'POST', body: 'x'.repeat(8000) });

      expect(response.status).toBe(502);
      expect(errorOf(response).message).toContain(status);
      expect(errorOf(response).message).toContain(advice);
      expect(path.upstream.hits).toBe(0);
    },
  );
});

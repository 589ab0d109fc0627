import { describe, expect, it } from 'vitest';

import { startAttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/** For example the error page of a proxy, which is longer than any pairing response. */
describe('#13 an oversized pairing response', () => {
  it.each([200, 404, 503])(
    'counts as a refusal, not as an unreachable peer (status %i)',
    async (status) => {
      const tunnel = forThisTest(await startAttackedTunnel());
      tunnel.attacker.interceptPairing(() => ({
        status,
        rawHeaders: ['content-type', 'text/html'],
        body: Buffer.alloc(2_000, 'x'),
      }));

      const response = await tunnel.send({ method: 'POST', body: 'x' });

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_PAIR_REFUSED',
        forwarded: 'no',
      });
    },
  );
});

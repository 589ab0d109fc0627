import { describe, expect, it } from 'vitest';

import { startAttackedTunnel } from '../support/attacked-tunnel.js';
import { errorOf } from '../support/client.js';
import { forThisTest } from '../support/resources.js';

/** Such as the error page of a proxy, which is longer than any pairing answer. */
describe('#13 a pairing answer that is longer than one can be', () => {
  it.each([200, 404, 503])(
    '(status %i) is a refusal, not a peer that cannot be reached',
    async (status) => {
      const tunnel = forThisTest(await startAttackedTunnel());
      tunnel.middle.meddleWithPairing(() => ({
        status,
        rawHeaders: ['content-type', 'text/html'],
        body: Buffer.alloc(2_000, 'x'),
      }));

      const answer = await tunnel.send({ method: 'POST', body: 'x' });

      expect(answer.status).toBe(502);
      expect(errorOf(answer)).toMatchObject({
        code: 'RELAY_PAIR_REFUSED',
        forwarded: 'no',
      });
    },
  );
});

import { describe, expect, it } from 'vitest';

import { errorOf } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { PROGRAMS, hasIntermediary } from '../../support/network/intermediaries.js';
import { PLACES, startPathTunnel } from '../../support/tunnels/path-tunnel.js';
import type { UpstreamHandler } from '../../support/upstreams/upstream.js';

/** Responds to health checks only. */
const neverResponds: UpstreamHandler = ({ url }, response) => {
  if (url !== '/silent') {
    response.end();
  }
};
const REQUEST = { method: 'POST', path: '/silent', body: 'content' };

describe.each(PROGRAMS)('%s', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere).each(PLACES)(
    'as documented, %s, waits until relay B has given up, and passes its error on',
    async (place) => {
      const path = forThisTest(
        await startPathTunnel(program, place, { both: { RESPONSE_TIMEOUT_MS: '1500' } }),
      );
      path.upstream.handle(neverResponds);

      const response = await path.send(REQUEST);

      expect(response.status).toBe(504);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_UPSTREAM_TIMEOUT',
        forwarded: 'maybe',
      });
    },
  );
});

/** What a client receives from relay A if the documented hour is one second. */
const IMPATIENT = [
  ['nginx', 'RELAY_PEER_ANSWER_INVALID', 'status 504'],
  ['HAProxy', 'RELAY_PEER_ANSWER_INVALID', 'status 504'],
  ['Apache', 'RELAY_PEER_ANSWER_INVALID', 'status 502'],
  ['Varnish', 'RELAY_PEER_REFUSED_MESSAGE', 'timeouts'],
] as const;

describe.each(IMPATIENT)(
  '%s between the relays, less patient than they are,',
  (program, code, text) => {
    it.skipIf(!hasIntermediary(program))(
      `makes A respond with ${code} that says what to do`,
      async () => {
        const path = forThisTest(
          await startPathTunnel(program, 'between the relays', {
            adjust: (block) => block.replaceAll(/\b1h\b/g, '1s').replaceAll(/\b3600\b/g, '1'),
          }),
        );
        path.upstream.handle(neverResponds);

        const response = await path.send(REQUEST);

        expect(response.status).toBe(502);
        const { message, ...error } = errorOf(response);
        expect(error).toMatchObject({ code, forwarded: 'maybe' });
        expect(message).toContain(text);
        expect(message).toContain('between the relays');
      },
    );
  },
);

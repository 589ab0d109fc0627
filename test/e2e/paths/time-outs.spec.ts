import { beforeAll, describe, expect, it } from 'vitest';

import { errorOf, type ClientResponse } from '../../support/clients/client.js';
import { PROGRAMS, hasIntermediary, type Program } from '../../support/network/intermediaries.js';
import {
  PLACES,
  startPathTunnel,
  type PathTunnel,
  type Place,
} from '../../support/tunnels/path-tunnel.js';
import type { UpstreamHandler } from '../../support/upstreams/upstream.js';

/** Responds to health checks only. */
const neverResponds: UpstreamHandler = ({ url }, response) => {
  if (url !== '/silent') {
    response.end();
  }
};
const REQUEST = { method: 'POST', path: '/silent', body: 'content' };

/** Sends a request that has no response on each of these paths, on all of them at once, as the waiting is what takes time. */
async function responsesOf<Name>(
  names: readonly Name[],
  start: (name: Name) => Promise<PathTunnel>,
): Promise<ReadonlyMap<Name, ClientResponse>> {
  const paths: PathTunnel[] = [];
  try {
    for (const name of names) {
      const path = await start(name);
      path.upstream.handle(neverResponds);
      paths.push(path);
    }
    const sent = paths.map(async (path, at) => [names[at]!, await path.send(REQUEST)] as const);
    return new Map(await Promise.all(sent));
  } finally {
    await Promise.all(paths.map((path) => path.close()));
  }
}

describe.each(PROGRAMS)('%s', (program) => {
  describe.skipIf(!hasIntermediary(program))('as documented,', () => {
    let responses: Awaited<ReturnType<typeof responsesOf<Place>>>;

    beforeAll(async () => {
      responses = await responsesOf(PLACES, (place) =>
        startPathTunnel(program, place, { both: { RESPONSE_TIMEOUT_MS: '1500' } }),
      );
    });

    it.each(PLACES)('%s, waits until relay B has given up, and passes its error on', (place) => {
      const response = responses.get(place)!;

      expect(response.status).toBe(504);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_UPSTREAM_TIMEOUT',
        forwarded: 'maybe',
      });
    });
  });
});

/** What a client receives from relay A if the documented hour is one second. */
const IMPATIENT = [
  ['nginx', 'RELAY_PEER_ANSWER_INVALID', 'status 504'],
  ['HAProxy', 'RELAY_PEER_ANSWER_INVALID', 'status 504'],
  ['Apache', 'RELAY_PEER_ANSWER_INVALID', 'status 502'],
  ['Varnish', 'RELAY_PEER_REFUSED_MESSAGE', 'timeouts'],
] as const;

let ofImpatient: Awaited<ReturnType<typeof responsesOf<Program>>>;

beforeAll(async () => {
  const programs = IMPATIENT.map(([program]) => program).filter(hasIntermediary);
  ofImpatient = await responsesOf<Program>(programs, (program) =>
    startPathTunnel(program, 'between the relays', {
      adjust: (block) => block.replaceAll(/\b1h\b/g, '1s').replaceAll(/\b3600\b/g, '1'),
    }),
  );
});

describe.each(IMPATIENT)(
  '%s between the relays, less patient than they are,',
  (program, code, text) => {
    it.skipIf(!hasIntermediary(program))(
      `makes A respond with ${code} that says what to do`,
      () => {
        const response = ofImpatient.get(program)!;

        expect(response.status).toBe(502);
        const { message, ...error } = errorOf(response);
        expect(error).toMatchObject({ code, forwarded: 'maybe' });
        expect(message).toContain(text);
        expect(message).toContain('between the relays');
      },
    );
  },
);

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../support/lifecycle/resources.js';
import { startForward, type Forward } from '../support/programs/forward.js';
import { REDIRECT_FOLLOWERS, followRedirects } from '../support/programs/redirect-followers.js';
import { TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: Tunnel;
let rewriting: TestRelay;
/** A server that is no relay, and not the API. */
let elsewhere: Upstream;
/** A small process beside the client that adds the token. */
let sidecar: Forward;

beforeAll(async () => {
  elsewhere = shared(await startUpstream());
  tunnel = shared(
    await startTunnel({
      handler: ({ url }, response) => {
        const targets: Record<string, string> = {
          '/elsewhere': `${elsewhere.url}/landing`,
          '/https': `https://127.0.0.1:${elsewhere.port}/landing`,
          '/own': `${tunnel.upstream.url}/landing`,
        };
        const location = targets[url];
        if (location === undefined) {
          response.writeHead(200).end();
        } else {
          response.writeHead(302, { location }).end();
        }
      },
    }),
  );
  rewriting = shared(await startRelay({ UPSTREAM: tunnel.upstream.url, REWRITE_LOCATION: 'true' }));
  sidecar = shared(await startForward(tunnel.outbound.url, tunnel.clientHeaders));
});

beforeEach(() => {
  elsewhere.forget();
  tunnel.upstream.forget();
});

/** The token that a request carried when it arrived, of every request. */
const tokensAt = ({ requests }: Upstream) =>
  requests.items.map(({ url, headers }) => [url, headers['x-mte-outbound-token']]);

/** What a client itself knows not to send to another origin. */
const credentials = { authorization: 'Bearer of-the-api' };

describe.each(REDIRECT_FOLLOWERS)('#60 a redirect that $name follows', (follower) => {
  const isThere = follower.isThere();
  const get = (path: string, fields: Readonly<Record<string, string>>, proxy?: string) =>
    followRedirects(follower, path, fields, proxy);

  it.skipIf(!isThere)('takes the token, but not authorization, to another origin', async () => {
    const fields = { ...tunnel.clientHeaders, ...credentials };

    await get(`${tunnel.outbound.url}/elsewhere`, fields);

    expect(tokensAt(elsewhere)).toEqual([['/landing', TOKEN]]);
    expect(elsewhere.requests.items[0]?.headers.authorization).toBeUndefined();
  });

  it.skipIf(!isThere)("takes the token to the API's own origin, past the tunnel", async () => {
    await get(`${tunnel.outbound.url}/own`, tunnel.clientHeaders);

    expect(tokensAt(tunnel.upstream)).toEqual([
      ['/own', undefined],
      ['/landing', TOKEN],
    ]);
  });

  it.skipIf(!isThere)(
    'stays in the tunnel if the API names itself (REWRITE_LOCATION)',
    async () => {
      const fields = { ...tunnel.clientHeaders, 'x-mte-upstream': rewriting.url };

      await get(`${tunnel.outbound.url}/own`, fields);

      expect(tokensAt(tunnel.upstream)).toEqual([
        ['/own', undefined],
        ['/landing', undefined],
      ]);
    },
  );

  it.skipIf(!isThere)('takes no token with it if a sidecar adds the token', async () => {
    await get(`${sidecar.url}/elsewhere`, credentials);

    expect(tokensAt(elsewhere)).toEqual([['/landing', undefined]]);
  });

  it.skipIf(!isThere || !follower.takesProxy)(
    'reaches only the relay if the relay is the forward proxy of the client',
    async () => {
      const proxy = tunnel.outbound.url;

      await get('http://api.example/elsewhere', tunnel.clientHeaders, proxy);
      await get('http://api.example/https', tunnel.clientHeaders, proxy);

      expect(tokensAt(elsewhere)).toEqual([]);
      expect(tokensAt(tunnel.upstream)).toEqual([
        ['/elsewhere', undefined],
        ['/landing', undefined],
        ['/https', undefined],
      ]);
    },
  );
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  const inbound = {
    MTE_ROUTES: '/open/*',
    PASS_THROUGH_ROUTES: '/open/*',
    REWRITE_LOCATION: 'true',
  };
  tunnel = shared(await startTunnel({ inbound }));
});

beforeEach(() => {
  tunnel.upstream.forget();
});

const move = (destination: string | string[]) =>
  tunnel.send({ method: 'MOVE', path: '/open/a', headers: { destination } });

describe('#59 a destination', () => {
  it.each(['/open/b', 'http://127.0.0.1:1/open/b', 'https://elsewhere/open/b?c'])(
    'on a route is forwarded: %s',
    async (destination) => {
      expect((await move(destination)).status).toBe(200);
    },
  );

  it.each([
    ['/secret', 404],
    ['http://127.0.0.1:1/secret', 404],
    ['HTTP://elsewhere/secret', 404],
    ['http://elsewhere', 404],
    ['//elsewhere/open/b', 404],
    ['secret', 404],
    ['', 404],
    ['/open/../secret', 400],
    ['http://elsewhere/open/%2e%2e/secret', 400],
    ['../secret', 400],
    // What comes after "//" is not the host for every server.
    ['http:///open/secret', 404],
    ['http://elsewhere\\secret/open/b', 404],
    ['http://\t/open/secret', 400],
    ['http://elsewhere\t/open/b', 400],
    // Some servers do not take a query off.
    ['/open/b?/../../secret', 400],
    ['http://elsewhere/open/b?c/%2e%2e/%2e%2e/secret', 400],
  ])('that leads off the routes is refused: "%s"', async (destination, status) => {
    const response = await move(destination);

    expect(response.status).toBe(status);
    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('beside another is judged as well', async () => {
    expect((await move(['/open/b', '/secret'])).status).toBe(404);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('that leads off the pass-through routes is refused', async () => {
    const send = (destination: string) =>
      request(tunnel.inbound.url, { method: 'MOVE', path: '/open/a', headers: { destination } });

    expect((await send('/secret')).status).toBe(401);
    expect(tunnel.upstream.hits).toBe(0);
    expect((await send('/open/b')).status).toBe(200);
  });
});

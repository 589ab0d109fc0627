import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, fieldValues, request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;
/** Relays in front of the same API, with a base path: one translates destinations, one does not. */
let based: TestRelay;
let untranslated: TestRelay;

beforeAll(async () => {
  const inbound = {
    MTE_ROUTES: '/open/*',
    PASS_THROUGH_ROUTES: '/open/*',
    REWRITE_LOCATION: 'true',
  };
  tunnel = shared(await startTunnel({ inbound }));
  const environment = { ...inbound, UPSTREAM: `${tunnel.upstream.url}/base` };
  based = shared(await startRelay(environment));
  untranslated = shared(await startRelay({ ...environment, REWRITE_LOCATION: 'false' }));
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

describe('#59 a destination, with a base path', () => {
  const API = 'http://api';
  const moveBelow = (relay: TestRelay, destination: string) =>
    tunnel.send({
      method: 'MOVE',
      path: '/open/a',
      headers: {
        'x-mte-upstream': relay.url,
        destination: destination.replace(API, tunnel.upstream.url),
      },
    });
  const received = () =>
    fieldValues(tunnel.upstream.requests.items[0]?.rawHeaders ?? [], 'destination');

  it.each(['/open/b', 'CLIENT/open/b', `${API}/base/open/b`])(
    'that the API finds below it is forwarded: %s',
    async (destination) => {
      const text = destination.replace('CLIENT', tunnel.outbound.url);
      expect((await moveBelow(based, text)).status).toBe(200);
      expect(received()[0]).toMatch(/^(?:http:\/\/[^/]+)?\/base\/open\/b$/);
    },
  );

  it.each([
    ...[`${API}/open/b`, `${API}/basement/open/b`, `${API}/base`, `${API}/base/../open/b`],
    ...['http://elsewhere/open/b', '//elsewhere/base/open/b', 'open/b', '', '/open/../../open/b'],
    ...['http:///base/open/b', 'http://elsewhere\\base/open/b'],
  ])('that the API finds elsewhere is refused: "%s"', async (destination) => {
    const response = await moveBelow(based, destination);

    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('is judged as it is where it is not translated', async () => {
    expect((await moveBelow(untranslated, '/open/b')).status).toBe(400);
    expect((await moveBelow(untranslated, `${API}/open/b`)).status).toBe(400);
    expect((await moveBelow(untranslated, '/base/secret')).status).toBe(404);
    expect(tunnel.upstream.hits).toBe(0);
    expect((await moveBelow(untranslated, '/base/open/b')).status).toBe(200);
  });

  it('that leads off the pass-through routes is refused', async () => {
    const send = (destination: string) =>
      request(based.url, { method: 'MOVE', path: '/open/a', headers: { destination } });

    expect((await send(`${tunnel.upstream.url}/open/b`)).status).toBe(401);
    expect(tunnel.upstream.hits).toBe(0);
    expect((await send('/open/b')).status).toBe(200);
    expect(received()).toEqual(['/base/open/b']);
  });
});

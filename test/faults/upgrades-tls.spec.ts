import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../support/certificates/certificates.js';
import { openRaw, openWebSocket } from '../support/clients/upgrade-clients.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  startUpgradeProcesses,
  type Server,
  type UpgradeProcessOptions,
} from '../support/tunnels/upgrade-processes.js';
import { FAREWELL, closeCodeOf } from '../support/upstreams/upgrade-upstream.js';

const LARGE = 'x'.repeat(1_000_000);

const LEGS: readonly (readonly [name: string, at: readonly Server[]])[] = [
  ['HTTP', []],
  ['an HTTPS upstream', ['upstream']],
  ['a TLS listener of A', ['outbound']],
  ['a TLS listener of B', ['inbound']],
  ['TLS everywhere', ['outbound', 'inbound', 'upstream']],
];

const shared = sharedResources();
let authority: Authority;

beforeAll(() => {
  authority = shared(makeAuthority());
});

/** Two relays, and clients of them. */
const start = async (at: readonly Server[], options: UpgradeProcessOptions = {}) => {
  const ca = readFileSync(authority.ca, 'utf8');
  const relays = await startUpgradeProcesses({ ...options, tls: { authority, at } });
  const { outbound, clientHeaders } = relays;
  const target = { port: outbound.port, ...(at.includes('outbound') && { ca }) };
  return {
    ...relays,
    webSocket: async (path = '/', headers = {}) =>
      forThisTest(
        await openWebSocket(outbound.url, { ...clientHeaders, ...headers }, path, { ca }),
      ),
    raw: async () => forThisTest(await openRaw(target, clientHeaders)),
  };
};

describe.each(LEGS)('an upgraded connection over %s', (_name, at) => {
  const ofLeg = sharedResources();
  let relays: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    relays = ofLeg(await start(at));
  });

  /** Resolves with the API's end of each WebSocket that was opened since then. */
  const watchApi = () => {
    const { items } = relays.upstream.webSockets;
    const before = items.length;
    return async (count: number) =>
      (await relays.upstream.webSockets.count(before + count)).slice(before);
  };

  it('that is a WebSocket carries messages of all sizes, and the close codes of both sides', async () => {
    const { webSocket, upstream } = relays;
    const opened = watchApi();
    const ofApi = await webSocket();
    for (const message of ['', 'small', LARGE]) {
      expect((await ofApi.echo(message)) === message).toBe(true);
    }
    ofApi.socket.send('close 4000 enough');
    expect(await ofApi.ended).toEqual({ code: 4000, reason: 'enough' });

    const ofClient = await webSocket();
    const [, atApi] = await opened(2);
    const closed = closeCodeOf(atApi!);
    ofClient.socket.close(1001, 'gone');
    expect(await closed).toBe(1001);
    expect(await ofClient.ended).toEqual({ code: 1001, reason: 'gone' });
    await upstream.sockets.until(0);
  });

  it('that is raw ends one direction after the other', async () => {
    const { raw, upstream } = relays;
    const client = await raw();
    client.write(LARGE);
    await client.until(LARGE.slice(-1000));

    client.socket.end('last words');

    const received = (await client.until(FAREWELL)).toString('latin1');
    expect(received.endsWith(`xlast words${FAREWELL}`)).toBe(true);
    expect(received.length).toBeGreaterThan(LARGE.length);
    await upstream.sockets.until(0);
  });

  it('that is a WebSocket ends without a close frame if the other side ends so', async () => {
    const { webSocket, upstream } = relays;
    const opened = watchApi();
    const client = await webSocket();
    const [atApi] = await opened(1);
    const closed = closeCodeOf(atApi!);

    client.socket.terminate();

    expect(await closed).toBe(1006);
    const second = await webSocket();
    const [, secondAtApi] = await opened(2);
    secondAtApi!.terminate();
    expect(await second.ended).toMatchObject({ code: 1006 });
    await upstream.sockets.until(0);
  });
});

describe('an upgrade at the API', () => {
  it.each([
    ['HTTP', []],
    ['HTTPS', ['upstream']],
  ] as const)(
    'has the host of the client with UPSTREAM_HOST=client, over %s',
    async (_name, at) => {
      const { webSocket, upstream } = forThisTest(
        await start(at, { inbound: { UPSTREAM_HOST: 'client' } }),
      );

      const { echo } = await webSocket('/', { host: 'api.example.com' });

      expect(await echo('x')).toBe('x');
      expect(upstream.upgrades.items[0]!.headers.host).toBe('api.example.com');
    },
  );

  it('has the base path of UPSTREAM, and the fields that were configured for it', async () => {
    const { webSocket, upstream } = forThisTest(
      await start([], {
        basePath: '/base/v1',
        inbound: { REQUEST_HEADERS: '{"x-api-key":"lent"}' },
      }),
    );

    const { echo } = await webSocket('/chat?room=1', { 'x-api-key': 'guessed' });

    expect(await echo('x')).toBe('x');
    expect(upstream.upgrades.items[0]).toMatchObject({
      url: '/base/v1/chat?room=1',
      headers: { 'x-api-key': 'lent' },
    });
  });
});

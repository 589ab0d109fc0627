import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { streamRequest } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { closedPort } from '../../support/network/listen.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { headBytes } from '../../support/network/raw-http.js';
import { clientWith } from '../../support/relays/mounted-directory.js';
import { startRelay } from '../../support/relays/relay.js';
import { newSecret, tokenOf } from '../../support/tunnels/directory-tunnel.js';
import { listenerChanges } from '../../support/tunnels/listener-changes.js';
import {
  CLIENT,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../../support/tunnels/plain-client-tunnel.js';
import {
  startUpgradeUpstream,
  type UpgradeUpstream,
} from '../../support/upstreams/upgrade-upstream.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
const WAYS = { outbound: { TUNNEL_TRANSPORT: 'auto', UPGRADE_PROTOCOLS: 'websocket,tcp' } };

/** Asks for an upgrade to raw octets. */
const RAW = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'tcp'],
] as const;

const start = (upstream: string) =>
  startPlainClientTunnel({
    upstream,
    ...WAYS,
    inbound: WAYS.outbound,
    start: startRelay,
  });

/** A tunnel whose listener is a socket. */
const startAtSocket = async (upstream: string) => {
  const tunnel = forThisTest(await start(upstream));
  const socket = join(tunnel.folder, 'api.sock');
  const changes = listenerChanges(tunnel, tunnel.outbound);
  await changes.make({ api: { listen: { socket, client: CLIENT } } });
  return { tunnel, socket };
};

/** Opens a WebSocket, and sends a word there and back. */
const opened = async (url: string, options = {}): Promise<WebSocket> => {
  const socket = new WebSocket(url, options);
  await once(socket, 'open');
  await echoes(socket);
  return socket;
};

const echoes = async (socket: WebSocket): Promise<void> => {
  socket.send('a word');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe('a word');
};

describe('an event stream', () => {
  let api: Upstream;
  let tunnel: PlainClientTunnel;
  let sendNext: (text: string) => void;

  beforeAll(async () => {
    api = shared(
      await startUpstream((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
        sendNext = (text) => response.end(text);
      }),
    );
    tunnel = shared(await start(api.url));
  });

  it('passes each event on at once, through the forward proxy and through a listener', async () => {
    const { outbound, listener, credentials } = tunnel;
    const proxied = { path: `http://${HOST}/events`, headers: credentials };
    for (const [origin, spec] of [
      [outbound.url, proxied],
      [listener, {}],
    ] as const) {
      const stream = await streamRequest(origin, spec);
      await stream.until('data: 1\n\n');
      sendNext('data: 2\n\n');
      await stream.until('data: 2\n\n');
      expect(await stream.ended).toBe('complete');
    }
  });

  it('passes each event on at once through a socket', async () => {
    const { socket } = await startAtSocket(api.url);
    const stream = await streamRequest('http://localhost', { socketPath: socket });
    await stream.until('data: 1\n\n');
    sendNext('data: 2\n\n');
    await stream.until('data: 2\n\n');
    expect(await stream.ended).toBe('complete');
  });
});

describe('an upgraded connection', () => {
  let api: UpgradeUpstream;

  beforeAll(async () => {
    api = shared(await startUpgradeUpstream());
  });

  it('is granted to a WebSocket client at a socket', async () => {
    const { socket } = await startAtSocket(api.url);
    const client = await opened(`ws+unix:${socket}:/chat`);
    client.close();
    await once(client, 'close');
    expect((await api.upgrades.find()).url).toBe('/chat');
  });

  it('is granted to a client that asks its forward proxy for it, whatever x-mte fields it has', async () => {
    const tunnel = forThisTest(await start(api.url));
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(
      headBytes(`GET http://${HOST}/raw HTTP/1.1`, [
        ['Host', HOST],
        ['Proxy-Authorization', tunnel.credentials['proxy-authorization']],
        ['X-MTE-Anything', 'of others'],
        ...RAW,
      ]),
    );
    await client.until('HTTP/1.1 101 ');
    client.write('a word');
    await client.until('a word');
    const seen = await api.upgrades.find(({ url }) => url === '/raw');
    expect(seen.rawHeaders.join('\n')).not.toMatch(/x-mte|proxy-authorization/i);
  });

  it('is reset with its listener, or when that has another client or peer, and no other one is', async () => {
    const tunnel = forThisTest(await start(api.url));
    const changes = listenerChanges(tunnel, tunnel.outbound);
    tunnel.file.writeNamed('other', newSecret());
    const address = `127.0.0.1:${await closedPort(createServer())}`;
    const kept = tunnel.listener.slice('http://'.length);
    const [here, there] = [{ address: kept }, { address }];
    const clients = { shipping: clientWith(tokenOf('shipping'), 'api', 'other') };
    const other = (listen?: object) => ({
      peers: {
        other: {
          origins: ['http://127.0.0.1:9'],
          secret: { file: join('..data', 'other') },
          listen,
        },
      },
      clients,
    });
    // Its token is for both peers, and stays.
    const byProxy = forThisTest(openSocket(tunnel.outbound.port));
    byProxy.write(
      headBytes(`GET http://${HOST}/raw HTTP/1.1`, [
        ['Host', HOST],
        ['Proxy-Authorization', tunnel.credentials['proxy-authorization']],
        ...RAW,
      ]),
    );
    await byProxy.until('HTTP/1.1 101 ');

    const first = await opened(tunnel.listener.replace('http', 'ws'));
    await changes.make(other());
    await echoes(first);

    const ends = async (socket: WebSocket, change: object): Promise<unknown> => {
      const closed = once(socket, 'close');
      await changes.make(change);
      return (await closed)[0];
    };
    // Another client.
    const ofShipping = { api: { listen: { ...here, client: 'shipping' } } };
    expect(await ends(first, { ...ofShipping, ...other() })).toBe(1006);
    // Another peer.
    const second = await opened(tunnel.listener.replace('http', 'ws'));
    const passedOn = { api: { listen: { ...there, client: CLIENT } } };
    expect(await ends(second, { ...passedOn, ...other({ ...here, client: 'shipping' }) })).toBe(
      1006,
    );
    // No listener any more.
    const third = await opened(`ws://${address}`);
    expect(await ends(third, { api: { listen: undefined } })).toBe(1006);

    byProxy.write('still there');
    await byProxy.until('still there');
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { ClientOptions } from 'ws';

import { openPair, refusedWebSocket } from '../../support/clients/web-socket-client.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { startClientRelays, type ClientRelays } from '../../support/programs/client-ways.js';
import { HOST } from '../../support/tunnels/plain-client-tunnel.js';
import type { UpgradeWay } from '../../support/tunnels/upgrade-ways.js';
import {
  echo,
  startWebSocketServer,
  type TestWebSocketServer,
} from '../../support/upstreams/web-socket-server.js';

const PATH = '/chat?room=1';

const shared = sharedResources();
let server: TestWebSocketServer;
let relays: ClientRelays;

beforeAll(async () => {
  server = shared(await startWebSocketServer(echo));
  relays = shared(await startClientRelays(server.url));
});

const wayTo = (url: string): UpgradeWay => ({
  url,
  webSocketUrl: url.replace('http', 'ws'),
  headers: {},
});

/** What a client of `ws` is given in each case, beside its path. */
interface Way {
  readonly origin: () => string;
  readonly options?: () => ClientOptions;
}

/** `ws` knows no proxies; this is what it sends with an agent that does. */
const ABSOLUTE_FORM: ClientOptions = {
  headers: { host: HOST },
  finishRequest: (request) => {
    request.path = `http://${HOST}${PATH}`;
    request.end();
  },
};

const withCredentials = (): ClientOptions => {
  const { username, password } = new URL(relays.proxy);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  const headers = { ...ABSOLUTE_FORM.headers, 'proxy-authorization': `Basic ${credentials}` };
  return { ...ABSOLUTE_FORM, headers };
};

const WAYS: Readonly<Record<string, Way>> = {
  directly: { origin: () => server.url },
  'through a listener': { origin: () => relays.listener },
  'through the forward proxy, in absolute form': {
    origin: () => new URL(relays.proxy).origin,
    options: withCredentials,
  },
};

describe.each(Object.entries(WAYS))('ws %s', (_name, { origin, options = () => ({}) }) => {
  const way = () => wayTo(origin());

  it('gets its messages back, and the end of the connection with its code', async () => {
    const { client, api } = await openPair(server, way(), {
      path: PATH,
      protocols: ['chat'],
      ...options(),
    });
    client.socket.send('one');
    client.socket.send(bytesOfSize(1_000_000));
    await client.events.count(2);
    client.socket.close(4001, 'done');

    expect(await client.closed()).toEqual([
      ['text', 'one'],
      ['binary', expect.stringMatching(/^1000000 octets/)],
      ['close', 4001, 'done'],
    ]);
    expect(await api.closed()).toContainEqual(['close', 4001, 'done']);
    expect(client.socket.protocol).toBe('chat');
    expect(api.request.url).toBe(PATH);
    expect(Object.keys(api.request.headers)).not.toContain('proxy-authorization');
  });
});

describe('ws through the forward proxy without credentials', () => {
  it('gets a 407', async () => {
    const way = wayTo(new URL(relays.proxy).origin);

    const { status, headers } = await refusedWebSocket(way, ABSOLUTE_FORM);

    expect(status).toBe(407);
    expect(headers['proxy-authenticate']).toBe('Basic realm="MTE API Relay"');
  });
});

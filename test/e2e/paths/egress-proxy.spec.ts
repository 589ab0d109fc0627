import { once } from 'node:events';
import { request } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { Clock } from '@relay/clock';
import { MAX_CONNECTION_AGE_MS } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { errorOf } from '../../support/clients/client.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  startConnectProxy,
  type ConnectProxy,
  type ConnectProxyOptions,
} from '../../support/network/connect-proxy.js';
import { closedPort, listen } from '../../support/network/listen.js';
import { samplesOf } from '../../support/relays/admin.js';
import { SECRET, startRelay, type RelayEnvironment } from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startTunnel, type Tunnel, type TunnelOptions } from '../../support/tunnels/tunnel.js';
import { startUpgradeTunnel } from '../../support/tunnels/upgrade-tunnel.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

const ACCOUNT = 'relay-a:canary %:@/';
const CREDENTIALS = `relay-a:${encodeURIComponent('canary %:@/')}`;
const CANARY = 'canary';
const OPEN_SOCKETS = 'mte_relay_open_sockets{side="peers"}';
/** More than any failure here takes, and less than any limit of the test. */
const SHORT_LIMITS = { CONNECT_TIMEOUT_MS: '300' };

const startProxy = async (options?: ConnectProxyOptions): Promise<ConnectProxy> =>
  forThisTest(await startConnectProxy(options));

const withAccount = ({ url }: ConnectProxy, account = CREDENTIALS): string =>
  url.replace('//', `//${account}@`);

const tunnelThrough = async (
  proxyUrl: string,
  more: RelayEnvironment = {},
  options: TunnelOptions = {},
): Promise<Tunnel> =>
  forThisTest(await startTunnel({ ...options, outbound: { PEER_PROXY_URL: proxyUrl, ...more } }));

/** What the relay has said to anybody. */
const said = (tunnel: Tunnel): string => JSON.stringify(tunnel.outbound.log.items);

describe.each(['message', 'channel'])('a relay with PEER_PROXY_URL (%s)', (transport) => {
  const both = { TUNNEL_TRANSPORT: transport };

  it('reaches its peer by CONNECT alone, with its credentials', async () => {
    const proxy = await startProxy({ account: ACCOUNT });
    const tunnel = await tunnelThrough(withAccount(proxy), {}, { both });
    const connections: (number | undefined)[] = [];
    tunnel.inbound.app.getHttpServer().on('connection', ({ remotePort }) => {
      connections.push(remotePort);
    });

    for (let count = 0; count < 5; count += 1) {
      expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
    }

    const target = `127.0.0.1:${tunnel.inbound.port}`;
    expect(new Set(proxy.requests.items.map((request) => request.target))).toEqual(
      new Set([target]),
    );
    expect(connections.length).toBe(proxy.requests.items.length);
    expect(said(tunnel)).not.toContain(CANARY);
    expect(said(tunnel)).not.toContain(Buffer.from(ACCOUNT).toString('base64'));
  });

  it('connects directly to what NO_PROXY names', async () => {
    const proxy = await startProxy();
    const tunnel = await tunnelThrough(
      proxy.url,
      { NO_PROXY: '10.0.0.0/8, 127.0.0.0/8' },
      { both },
    );

    expect(await tunnel.send()).toMatchObject({ status: 200 });

    expect(proxy.requests.items).toEqual([]);
  });
});

it('messages keep their connections through a proxy, and the metric counts them', async () => {
  const proxy = await startProxy();
  const tunnel = await tunnelThrough(proxy.url, { ADMIN_PORT: '0', TUNNEL_TRANSPORT: 'message' });

  for (let count = 0; count < 10; count += 1) {
    expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  }

  // The pairing, and the messages after it.
  expect(proxy.requests.items).toHaveLength(2);
  expect((await samplesOf(tunnel.outbound)).get(OPEN_SOCKETS)).toBe(1);
});

it('a connection through a proxy ends at its age, as any other', async () => {
  const clock = new HandMovedClock(Date.now());
  const proxy = await startProxy();
  const upstream = forThisTest(await startUpstream());
  const inbound = forThisTest(await startRelay({ UPSTREAM: upstream.url }));
  const outbound = forThisTest(
    await startRelay({ PEER_PROXY_URL: proxy.url, TUNNEL_TRANSPORT: 'message' }, (builder) =>
      builder.overrideProvider(Clock).useValue(clock),
    ),
  );
  const client = tunnelClient(outbound.url, inbound.url);
  expect(await client.send()).toMatchObject({ status: 200 });
  const before = proxy.requests.items.length;

  clock.advance(MAX_CONNECTION_AGE_MS);

  expect(await client.send()).toMatchObject({ status: 200 });
  expect(proxy.requests.items).toHaveLength(before + 1);
});

it('the proxy of a peer in RELAY_CONFIG_FILE takes precedence over PEER_PROXY_URL and NO_PROXY', async () => {
  const [own, general] = [await startProxy({ account: ACCOUNT }), await startProxy()];
  const upstream = forThisTest(await startUpstream());
  const inbound = forThisTest(await startRelay({ UPSTREAM: upstream.url }));
  const folder = forThisTest(await temporaryFolder());
  const file = join(folder.path, 'relay.yaml');
  const peers = {
    partner: { origins: [inbound.url], secret: { env: 'SHARED' }, proxy: { env: 'OWN_PROXY' } },
  };
  await writeFile(file, JSON.stringify({ peers }));
  const outbound = forThisTest(
    await startRelay({
      RELAY_CONFIG_FILE: file,
      CLIENT_ID_SECRET: '',
      SHARED: SECRET,
      OWN_PROXY: withAccount(own),
      PEER_PROXY_URL: general.url,
      NO_PROXY: '127.0.0.1',
    }),
  );

  expect(await tunnelClient(outbound.url, inbound.url).send()).toMatchObject({ status: 200 });

  expect(general.requests.items).toEqual([]);
  expect(own.requests.items.length).toBeGreaterThan(0);
  expect(JSON.stringify(outbound.log.items)).not.toContain(CANARY);
});

it('an upgraded connection goes through the proxy', async () => {
  const proxy = await startProxy();
  const tunnel = forThisTest(
    await startUpgradeTunnel(
      ({ socket }) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
        );
        socket.pipe(socket);
      },
      { outbound: { PEER_PROXY_URL: proxy.url } },
    ),
  );
  const upgrading = request(tunnel.outbound.url, {
    headers: { ...tunnel.clientHeaders, connection: 'upgrade', upgrade: 'websocket' },
  }).end();
  const [, socket] = (await once(upgrading, 'upgrade')) as [unknown, Socket];
  socket.write('through the proxy');
  const [octets] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();

  expect(String(octets)).toBe('through the proxy');
  expect(proxy.requests.items.length).toBeGreaterThan(1);
});

interface Failure {
  readonly status: number;
  readonly code: string;
  /** What the log says of it. */
  readonly reason: RegExp;
  proxyUrl(): Promise<string>;
}

const instead =
  (head: string): (() => Promise<string>) =>
  async () =>
    withAccount(await startProxy({ instead: (client) => client.end(head) }));

const FAILURES: readonly (Failure & { readonly what: string })[] = [
  {
    what: 'requires other credentials',
    status: 502,
    code: 'RELAY_PEER_PROXY_AUTH_FAILED',
    reason: /^proxy 127\.0\.0\.1:\d+: status 407$/,
    proxyUrl: async () => withAccount(await startProxy({ account: 'other:account' })),
  },
  ...[302, 403, 404, 500, 502, 503, 504].map((status) => ({
    what: `responds with status ${status}`,
    status: 502,
    code: 'RELAY_PEER_PROXY_REFUSED',
    reason: new RegExp(`^proxy 127\\.0\\.0\\.1:\\d+: status ${status}$`),
    proxyUrl: instead(`HTTP/1.1 ${status} No\r\nContent-Length: 6\r\n\r\ncanary`),
  })),
  {
    what: 'is not there',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: ECONNREFUSED /,
    proxyUrl: async () => `http://${CREDENTIALS}@127.0.0.1:${await closedPort(createServer())}`,
  },
  {
    what: 'closes the connection',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: ECONNRESET /,
    proxyUrl: instead(''),
  },
  {
    what: 'does not speak HTTP',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: HPE_\w+ /,
    proxyUrl: instead('220 mail.example ESMTP\r\n'),
  },
  {
    what: 'has an endless head',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: HPE_HEADER_OVERFLOW /,
    proxyUrl: instead(`HTTP/1.1 200 OK\r\n${'X: canary\r\n'.repeat(10_000)}\r\n`),
  },
  {
    what: 'switches protocols',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: status 101 to CONNECT$/,
    proxyUrl: instead('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  },
  {
    what: 'responds to requests itself',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: content in the response to CONNECT$/,
    proxyUrl: instead('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary'),
  },
  {
    what: 'speaks HTTP although its URL says https',
    status: 502,
    code: 'RELAY_PEER_PROXY_UNREACHABLE',
    reason: /^proxy 127\.0\.0\.1:\d+: \w+ .*wrong version number/s,
    proxyUrl: async () => withAccount(await startProxy()).replace('http:', 'https:'),
  },
];

describe.each(FAILURES)('a proxy that $what', (failure) => {
  const { status, code, reason } = failure;

  it('is an error of its own, and the log names the proxy without its credentials', async () => {
    const tunnel = await tunnelThrough(await failure.proxyUrl(), SHORT_LIMITS);

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(status);
    expect(errorOf(response)).toMatchObject({ code, forwarded: 'no' });
    const line = await tunnel.outbound.log.find(({ msg }) => msg === 'pairing failed');
    expect(line).toMatchObject({
      code,
      error: { cause: { message: expect.stringMatching(reason) as string } },
    });
    expect(said(tunnel) + response.body.toString()).not.toContain(CANARY);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

it('a proxy that never responds is given up after CONNECT_TIMEOUT_MS, also once there is a session', async () => {
  let isSilent = false;
  const proxy = await startProxy();
  const front = forThisTest(
    await listen(
      createServer((client) => {
        if (isSilent) {
          client.on('error', () => undefined).resume();
          return;
        }
        const onward = createConnection(proxy.port);
        client.pipe(onward).pipe(client);
        onward.on('error', () => client.destroy());
        client.on('error', () => onward.destroy());
      }),
    ),
  );
  const tunnel = await tunnelThrough(front.url, { ...SHORT_LIMITS, TUNNEL_TRANSPORT: 'message' });
  expect(await tunnel.send()).toMatchObject({ status: 200 });
  isSilent = true;
  proxy.cut();

  const response = await tunnel.send();

  expect(response.status).toBe(504);
  expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_PROXY_TIMEOUT', forwarded: 'no' });
});

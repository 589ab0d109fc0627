import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  makeAuthority,
  type Authority,
  type KeyPair,
} from '../support/certificates/certificates.js';
import { mountCertificate } from '../support/certificates/mounted-certificate.js';
import { errorOf, request, type ClientResponse } from '../support/clients/client.js';
import { openWebSocket } from '../support/clients/web-socket-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../support/relays/relay.js';
import { tunnelClient } from '../support/tunnels/tunnel-client.js';
import type { UpgradeWay } from '../support/tunnels/upgrade-ways.js';
import { hasNginx, startNginx, type Nginx } from '../support/upstreams/nginx.js';
import {
  echo,
  startWebSocketServer,
  type TestWebSocketServer,
} from '../support/upstreams/web-socket-server.js';

const IN_USE = 'new TLS files for the API are in use';
const BOTH_WAYS = ['through the tunnel', 'on a pass-through route'] as const;

const shared = sharedResources();
let authority: Authority;
let stranger: Authority;
let billing: KeyPair;
let shop: KeyPair;
let outbound: TestRelay;

beforeAll(async () => {
  authority = shared(makeAuthority());
  stranger = shared(makeAuthority());
  billing = authority.issue('billing', 'DNS:billing');
  shop = authority.issue('shop', 'DNS:shop');
  outbound = shared(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
});

const files = ({ cert, key }: KeyPair): RelayEnvironment => ({
  UPSTREAM_TLS_CA_FILE: authority.ca,
  UPSTREAM_TLS_CERT_FILE: cert,
  UPSTREAM_TLS_KEY_FILE: key,
});

const startInbound = async (upstream: string, tls: RelayEnvironment): Promise<TestRelay> =>
  forThisTest(
    await startRelay({
      TUNNEL_TRANSPORT: 'auto',
      PASS_THROUGH_ROUTES: '/*',
      UPSTREAM: upstream,
      ...tls,
    }),
  );

/** Asks the API who calls it. */
const ask = (
  inbound: TestRelay,
  way: (typeof BOTH_WAYS)[number] = 'through the tunnel',
  headers: Readonly<Record<string, string>> = {},
): Promise<ClientResponse> =>
  way === 'through the tunnel'
    ? tunnelClient(outbound.url, inbound.url).send({ path: '/caller', headers })
    : request(inbound.url, { path: '/caller', headers });

const wayOf = ({ url }: TestRelay, headers: Readonly<Record<string, string>> = {}): UpgradeWay => ({
  url,
  webSocketUrl: url.replace('http', 'ws'),
  headers,
});

describe.skipIf(!hasNginx())('nginx that requires a certificate of its clients (#102)', () => {
  let nginx: Nginx;
  let webSockets: TestWebSocketServer;

  beforeAll(async () => {
    webSockets = shared(await startWebSocketServer(echo));
    const own = authority.issue('nginx', 'DNS:localhost');
    nginx = shared(await startNginx({ ...own, ca: authority.ca, webSocketPort: webSockets.port }));
  });

  it.each(BOTH_WAYS)('is shown that of the relay %s', async (way) => {
    const response = await ask(await startInbound(nginx.url, files(billing)), way);

    expect(response.body.toString()).toBe('CN=billing localhost localhost');
  });

  it.each(BOTH_WAYS)('is shown that of the relay for a WebSocket %s', async (way) => {
    const inbound = await startInbound(nginx.url, files(billing));
    const headers = tunnelClient(outbound.url, inbound.url).clientHeaders;
    const asked = way === 'through the tunnel' ? wayOf(outbound, headers) : wayOf(inbound);
    const before = webSockets.accepted.items.length;

    const { socket, events } = await openWebSocket(asked, { path: '/ws' });
    socket.send('hello');

    await events.find(([name, text]) => name === 'text' && text === 'hello');
    const [accepted] = webSockets.accepted.items.slice(before);
    expect(accepted?.request.headers['x-caller']).toBe('CN=billing');
    socket.terminate();
  });

  it.each<[string, () => RelayEnvironment]>([
    ['none', () => ({ UPSTREAM_TLS_CA_FILE: authority.ca })],
    ['one of another authority', () => files(stranger.issue('stranger', 'DNS:stranger'))],
  ])('responds itself to a relay that has %s', async (_what, tls) => {
    const inbound = await startInbound(nginx.url, tls());

    for (const way of BOTH_WAYS) {
      const response = await ask(inbound, way);
      expect(response.status).toBe(400);
      expect(response.body.toString()).toContain('SSL certificate');
    }
  });

  it('is called by the name that is configured, whatever host clients name', async () => {
    const own = authority.issue('internal', 'DNS:api.internal');
    const internal = forThisTest(
      await startNginx({ ...own, ca: authority.ca, webSocketPort: webSockets.port }),
    );
    const inbound = await startInbound(internal.url, {
      ...files(billing),
      UPSTREAM_TLS_SERVER_NAME: 'api.internal',
      UPSTREAM_HOST: 'client',
    });

    for (const host of ['one.example', 'two.example']) {
      const response = await ask(inbound, 'through the tunnel', { host });
      expect(response.body.toString()).toBe(`CN=billing api.internal ${host}`);
    }
  });

  it('sees a renewed certificate, without a failed request or a broken WebSocket', async () => {
    const mount = forThisTest(mountCertificate(billing));
    const inbound = await startInbound(nginx.url, files(mount));
    const { socket, events } = await openWebSocket(wayOf(inbound), { path: '/ws' });
    const statuses = new Set<number>();
    const renewal = { isOver: false };
    const load = (async () => {
      while (!renewal.isOver) {
        statuses.add((await ask(inbound)).status);
      }
    })();

    mount.swap(shop);
    await inbound.log.find(({ msg }) => msg === IN_USE);
    renewal.isOver = true;
    await load;

    expect([...statuses]).toEqual([200]);
    // A connection for itself, since those that exist go on.
    const renewed = await openWebSocket(wayOf(inbound), { path: '/ws' });
    expect(webSockets.accepted.items.at(-1)?.request.headers['x-caller']).toBe('CN=shop');
    socket.send('still here');
    await events.find(([name, text]) => name === 'text' && text === 'still here');
    renewed.socket.terminate();
    socket.terminate();
  });

  it.each<[string, string, () => RelayEnvironment]>([
    [
      'is signed by another authority',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      () => ({ ...files(billing), UPSTREAM_TLS_CA_FILE: stranger.ca }),
    ],
    [
      'has another name',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      () => ({ ...files(billing), UPSTREAM_TLS_SERVER_NAME: 'api.internal' }),
    ],
  ])('gets no request if it %s', async (_what, reason, tls) => {
    const inbound = await startInbound(nginx.url, tls());

    for (const way of BOTH_WAYS) {
      const response = await ask(inbound, way);
      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_UPSTREAM_UNREACHABLE',
        forwarded: 'no',
      });
    }
    const lines = inbound.log.items.filter(({ code }) => code === 'RELAY_UPSTREAM_UNREACHABLE');
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => JSON.stringify(line['error']).includes(reason))).toBe(true);
  });
});

describe('an API that ends the handshake of a relay without a certificate (#102)', () => {
  it.each(BOTH_WAYS)('is a 502 whose log line says so %s', async (way) => {
    const own = authority.issue('strict', 'DNS:localhost');
    const server = createServer(
      {
        cert: readFileSync(own.cert),
        key: readFileSync(own.key),
        ca: readFileSync(authority.ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_request, response) => response.end(),
    );
    const { port } = forThisTest(await listen(server));
    const inbound = await startInbound(`https://localhost:${port}`, {
      UPSTREAM_TLS_CA_FILE: authority.ca,
    });

    const response = await ask(inbound, way);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_UPSTREAM_FAILED',
      forwarded: 'maybe',
    });
    const line = await inbound.log.find(({ code }) => code === 'RELAY_UPSTREAM_FAILED');
    expect(JSON.stringify(line['error'])).toContain('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });
});

import { once } from 'node:events';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { errorOf, request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startRelay } from '../../support/relays/relay.js';
import {
  CLIENT,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../../support/tunnels/plain-client-tunnel.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';
import { echo, startWebSocketServer } from '../../support/upstreams/web-socket-server.js';

const shared = sharedResources();
let api: Upstream;
let tunnel: PlainClientTunnel;

beforeAll(async () => {
  api = shared(await startUpstream());
  tunnel = shared(await startPlainClientTunnel({ upstream: api.url, start: startRelay }));
});

beforeEach(() => {
  api.forget();
  api.handle(({ method, url }, response) => {
    response.end(`${method} ${url}`);
  });
});

describe('a request to the listener of a peer', () => {
  it.each(['/a?b=c', '/health/live', '/api/mte-echo', '/api/mte-relay'])(
    'for %s reaches the API, without a token',
    async (path) => {
      const { status, body } = await tunnel.listened({ path });
      expect([status, body.toString()]).toEqual([200, `GET ${path}`]);
    },
  );

  it.each([
    'localhost',
    'localhost:9101',
    'app.localhost',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]:9101',
  ])('is taken if it calls the listener %s, as programs of this machine do', async (host) => {
    expect((await tunnel.listened({ headers: { host } })).status).toBe(200);
  });

  it.each([HOST, `${HOST}:9101`, 'a.below.example', 'a.below.example:1'])(
    'is taken if it calls the listener %s, which is a host of the peer',
    async (host) => {
      expect((await tunnel.listened({ headers: { host } })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:9101',
    '192.0.2.1',
    'localhost.evil.example',
    `x.${HOST}`,
  ])('gets 403 if it calls the listener %s, as a page of another site does', async (host) => {
    const response = await tunnel.listened({ headers: { host } });
    expect(response.status).toBe(403);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_HOST_UNKNOWN', forwarded: 'no' });
    expect(api.hits).toBe(0);
  });

  it('in absolute form reaches the API under a host of the peer, and nothing under another', async () => {
    expect((await tunnel.listened({ path: `http://${HOST}/a` })).body.toString()).toBe('GET /a');
    const other = await tunnel.listened({ path: 'http://other.example/a' });
    expect(errorOf(other).code).toBe('RELAY_HOST_UNKNOWN');
  });

  it('is for the client of the listener, whatever x-mte fields and credentials it has', async () => {
    const { status } = await tunnel.listened({
      headers: {
        'x-mte-outbound-token': 'wrong',
        'x-mte-upstream': 'nowhere',
        'proxy-authorization': 'a',
      },
    });
    expect(status).toBe(200);
    const line = await tunnel.outbound.log.find(({ msg }) => msg === 'request completed');
    expect(line).toMatchObject({ client: CLIENT });
  });

  it('is told from those that the shared listener has, which needs a token', async () => {
    expect((await request(tunnel.outbound.url, { path: '/' })).status).toBe(401);
  });

  it('carries a WebSocket', async () => {
    const server = forThisTest(await startWebSocketServer(echo));
    const other = forThisTest(
      await startPlainClientTunnel({
        upstream: server.url,
        outbound: { TUNNEL_TRANSPORT: 'auto' },
        inbound: { TUNNEL_TRANSPORT: 'auto' },
        start: startRelay,
      }),
    );
    const socket = new WebSocket(`${other.listener.replace('http', 'ws')}/chat`);
    await once(socket, 'open');
    socket.send('words');
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.toString()).toBe('words');
    socket.close();
    await once(socket, 'close');
  });
});

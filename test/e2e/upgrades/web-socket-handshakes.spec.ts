import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';

import {
  PAIR_FIELD,
  failedWebSocket,
  openPair,
  openWebSocket,
  refusedWebSocket,
  type WebSocketClientOptions,
} from '../../support/clients/web-socket-client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import {
  startUpgradeWays,
  type UpgradeWay,
  type UpgradeWays,
} from '../../support/tunnels/upgrade-ways.js';
import { startWebSocketServer } from '../../support/upstreams/web-socket-server.js';

const shared = sharedResources();

const LONG = 'a body of several records\n'.repeat(10_000);

/** By path: what the API writes on the connection, before it ends it. */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
  '/401': [
    'HTTP/1.1 401 Unauthorized',
    'WWW-Authenticate: Bearer realm="api"',
    'Content-Type: application/json',
    'Content-Length: 21',
    '',
    '{"error":"who is it"}',
  ],
  '/403': [
    'HTTP/1.1 403 Forbidden',
    'Set-Cookie: a=1; Path=/',
    'Set-Cookie: b=2; HttpOnly',
    'Transfer-Encoding: chunked',
    '',
    '4\r\nthis\r\n8\r\n is shut\r\n0\r\n\r\n',
  ],
  '/426': [
    'HTTP/1.1 426 Upgrade Required',
    'Sec-WebSocket-Version: 13, 8',
    'Content-Length: 0',
    '',
    '',
  ],
  '/200': [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain',
    `Content-Length: ${LONG.length}`,
    '',
    LONG,
  ],
  '/until-close': ['HTTP/1.1 400 Bad Request', 'Content-Type: text/plain', '', 'until it ends'],
  '/503': ['HTTP/1.1 503 Service Unavailable', 'Retry-After: 7', 'Content-Length: 4', '', 'busy'],
};

/** Fields of each connection alone. */
const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'date'];

/** What differs between any two WebSockets, and the case of `Upgrade` in `connection`. */
const OF_ONE_WEB_SOCKET = ['connection', 'sec-websocket-key', 'sec-websocket-accept', PAIR_FIELD];

const without = (
  headers: IncomingMessage['headers'],
  names: readonly string[],
): IncomingMessage['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

describe('a handshake that the API refuses, compared with the same one directly', () => {
  let ways: UpgradeWays;

  beforeAll(async () => {
    const webSockets = new WebSocketServer({ noServer: true });
    const server = createServer();
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const { url = '' } = request;
      if (url === '/302') {
        socket.end('HTTP/1.1 302 Found\r\nLocation: /open?from=302\r\nContent-Length: 0\r\n\r\n');
      } else if (url.startsWith('/open')) {
        webSockets.handleUpgrade(request, socket, head, (accepted) => {
          accepted.close(1000, `opened ${url} for ${String(request.headers.authorization)}`);
        });
      } else {
        socket.end(REFUSALS[url]?.join('\r\n'));
      }
    });
    ways = shared(await startUpgradeWays(shared(await listen(server))));
  });

  it.each(Object.keys(REFUSALS))(
    'passes through with its fields and its body: %s',
    async (path) => {
      const { direct, tunnelled } = await ways.both(async (way) => {
        const { headers, ...refused } = await refusedWebSocket(way, { path });
        return { ...refused, headers: without(headers, OF_CONNECTION) };
      });

      expect(tunnelled).toEqual(direct);
      expect(direct.status).toBe(path === '/until-close' ? 400 : Number(path.slice(1)));
      expect(direct.body.length > 0).toBe(path !== '/426');
    },
  );

  it('passes a redirect through, which a client can follow', async () => {
    const headers = { authorization: 'Bearer of the API' };
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { status, headers: fields } = await refusedWebSocket(way, { path: '/302' });
      const following = { path: '/302', followRedirects: true, headers };
      return { status, location: fields.location, followed: await closeReason(way, following) };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual({
      status: 302,
      location: '/open?from=302',
      followed: 'opened /open?from=302 for Bearer of the API',
    });
  });

  it('leaves the next handshake of the same client alone', async () => {
    await refusedWebSocket(ways.tunnelled, { path: '/401' });

    expect(await closeReason(ways.tunnelled, { path: '/open' })).toBe('opened /open for undefined');
  });
});

async function closeReason(way: UpgradeWay, options: WebSocketClientOptions): Promise<string> {
  const client = await openWebSocket(way, options);
  const [[, , reason] = []] = await client.closed();
  return String(reason);
}

describe('a handshake, compared with the same one directly', () => {
  it('has its query, its cookies and its authorization at the API, and not the fields for the relay', async () => {
    const cookie = 'set=by-api; Path=/; HttpOnly';
    const server = forThisTest(await startWebSocketServer());
    const ways = forThisTest(await startUpgradeWays(server));
    server.webSockets.on('headers', (fields: string[]) => {
      fields.push(`Set-Cookie: ${cookie}`, 'Set-Cookie: second=2', 'X-Served-By: api');
    });

    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await openPair(server, way, {
        path: '/a%20path/of?token=q%2B1&empty=&empty',
        origin: 'https://app.example',
        headers: {
          cookie: 'session=abc; other=1',
          authorization: 'Bearer of the API',
          'x-custom': 'Kept-As-It-Is',
        },
      });
      client.socket.close(1000);
      await api.closed();
      const { url, method, httpVersion, headers } = api.request;
      return {
        asked: { url, method, httpVersion, headers: without(headers, OF_ONE_WEB_SOCKET) },
        granted: {
          status: client.response.statusMessage,
          headers: without(client.response.headers, OF_ONE_WEB_SOCKET),
        },
      };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.asked.headers).toMatchObject({ origin: 'https://app.example' });
    expect(direct.granted.headers['set-cookie']).toEqual([cookie, 'second=2']);
    expect(JSON.stringify(tunnelled.asked)).not.toContain('x-mte');
  });

  it.each([
    ['the first that the client offers', undefined, 'chat'],
    ['another that the client offers', () => 'v2.chat', 'v2.chat'],
  ])('agrees on a subprotocol: %s', async (_, handleProtocols, agreed) => {
    const options = handleProtocols === undefined ? {} : { handleProtocols };
    const server = forThisTest(await startWebSocketServer(undefined, options));
    const ways = forThisTest(await startUpgradeWays(server));

    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await openPair(server, way, { protocols: ['chat', 'v2.chat'] });
      client.socket.close(1000);
      await api.closed();
      return [client.socket.protocol, api.socket.protocol];
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual([agreed, agreed]);
  });

  it.each([
    ['none of those offered', () => false as const, 'Server sent no subprotocol'],
    ['one that was not offered', () => 'unasked', 'Server sent an invalid subprotocol'],
  ])('fails at the client if the API agrees on %s', async (_, handleProtocols, message) => {
    const server = forThisTest(await startWebSocketServer(undefined, { handleProtocols }));
    const ways = forThisTest(await startUpgradeWays(server));

    const { direct, tunnelled } = await ways.both((way) =>
      failedWebSocket(way, { protocols: ['chat'] }),
    );

    expect(tunnelled).toEqual(direct);
    expect(direct).toBe(message);
  });
});

import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  PROGRAMS,
  hasIntermediary,
  startIntermediary,
} from '../../support/network/intermediaries.js';
import { listen } from '../../support/network/listen.js';
import { startRelay } from '../../support/relays/relay.js';
import { PLACES, startPathTunnel } from '../../support/tunnels/path-tunnel.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

const REQUESTS = 20;
const TUNNEL_PATH = '/api/mte-tunnel';

describe.each(PROGRAMS)('%s, configured as docs/deployment.md says,', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere)('keeps the connections between the relays', async () => {
    const path = forThisTest(await startPathTunnel(program, 'between the relays'));
    const sockets = new Set<Socket>();
    path.inbound.app.getHttpServer().on('request', ({ socket, url }: IncomingMessage) => {
      if (url === TUNNEL_PATH) {
        sockets.add(socket);
      }
    });

    for (let count = 0; count < REQUESTS; count += 1) {
      expect(await path.send({ method: 'POST', body: 'content' })).toMatchObject({ status: 200 });
    }

    expect(sockets.size).toBeLessThan(REQUESTS / 4);
  });

  it.skipIf(!isThere)('sends no message a second time if its connection breaks', async () => {
    const upstream = forThisTest(await startUpstream());
    const inbound = forThisTest(await startRelay({ UPSTREAM: upstream.url }));
    const delivered: string[] = [];
    // Two servers in front of B that break the connection of every message, after it has arrived.
    const breaking = async () =>
      forThisTest(
        await listen(
          createServer((request, response) => {
            if (request.url === TUNNEL_PATH) {
              delivered.push(String(request.headers['x-mte-relay']));
              request.resume().once('end', () => request.socket.destroy());
              return;
            }
            const { method, url, headers } = request;
            const onwards = httpRequest(inbound.url + String(url), { method, headers }, (from) => {
              from.pipe(response.writeHead(from.statusCode ?? 0, from.headers));
            });
            request.pipe(onwards);
          }),
        ),
      );
    const [first, second] = [await breaking(), await breaking()];
    const intermediary = forThisTest(
      await startIntermediary(program, first.port, (block) =>
        block
          .replace(/^ *server relay-b\.internal:8080;\n/m, `$&  server 127.0.0.1:${second.port};\n`)
          .replace(/^ *server relay-b .*\n/m, `$&  server second 127.0.0.1:${second.port}\n`),
      ),
    );
    const outbound = forThisTest(await startRelay());
    const client = tunnelClient(outbound.url, intermediary.url);

    expect(await client.send({ method: 'POST', body: 'content' })).toMatchObject({ status: 502 });

    expect(delivered.length).toBeGreaterThan(0);
    expect(new Set(delivered).size).toBe(delivered.length);
    expect(upstream.hits).toBe(0);
  });

  // docs/deployment.md: Apache does not notice that a client has gone as long as the API has not responded.
  it.skipIf(!isThere || program === 'Apache').each(PLACES)(
    '%s, passes the end of a client on to the API',
    async (place) => {
      const path = forThisTest(await startPathTunnel(program, place));
      path.upstream.handle(({ url }, response) => {
        if (url !== '/abandoned') {
          response.end();
        }
      });
      const client = httpRequest(path.entrance.url, {
        path: '/abandoned',
        headers: path.clientHeaders,
      });
      client.on('error', () => undefined).end();
      const { message } = await path.upstream.requests.find(({ url }) => url === '/abandoned');
      const gone = new Promise((resolve) => message.socket.once('close', resolve));

      client.destroy();

      await gone;
    },
  );

  it.skipIf(!isThere).each(PLACES)('%s, lets large heads pass', async (place) => {
    const path = forThisTest(await startPathTunnel(program, place));
    const fields = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`x-field_${index}`, 'value']),
    );
    const long = 'v'.repeat(11_000);
    path.upstream.handle(({ headers }, response) => {
      response.setHeader('x-long', String(headers['x-long'])).end(headers['x-field_119']);
    });

    const response = await path.send({
      headers: { ...fields, 'x-long': long, 'x-mte-encode-headers': 'x-long' },
    });

    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('value');
    expect(response.headers['x-long']).toBe(long);
  });
});

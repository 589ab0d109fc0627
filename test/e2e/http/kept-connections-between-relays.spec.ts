import { beforeEach, describe, expect, it } from 'vitest';

import { startTap, type Tap, type TappedConnection } from '../../support/attackers/tap.js';
import { request, type ClientResponse } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { TOKEN } from '../../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';
import type { UpstreamHandler } from '../../support/upstreams/upstream.js';

const respondOk: UpstreamHandler = (_request, response) => {
  response.end('ok');
};

/** How many connections are kept when the intermediary begins to end them. */
const KEPT = 3;

let tunnel: Tunnel;
let tap: Tap;

beforeEach(async () => {
  tunnel = forThisTest(await startTunnel());
  tap = forThisTest(await startTap(tunnel.inbound.port));
});

const send = (method: string): Promise<ClientResponse> =>
  request(tunnel.outbound.url, {
    method,
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': tap.url },
    ...(method === 'GET' ? {} : { body: 'body' }),
  });

/** Leaves several connections between the relays, each of which has carried a message. */
async function keepConnections(): Promise<void> {
  const responses: (() => void)[] = [];
  const together: UpstreamHandler = (_request, response) => {
    responses.push(() => response.end('ok'));
    if (responses.length === KEPT) {
      responses.forEach((respond) => {
        respond();
      });
    }
  };
  tunnel.upstream.handle(together);
  await Promise.all(Array.from({ length: KEPT }, () => send('GET')));
  tunnel.upstream.handle(respondOk);
  tunnel.upstream.forget();
}

const ENDINGS = {
  closes: ({ near, far }: TappedConnection) => {
    near.end();
    far.destroy();
  },
  resets: (connection: TappedConnection) => {
    connection.cut();
  },
};

describe.each(Object.entries(ENDINGS))(
  'an intermediary between the relays that %s each kept connection as the next message arrives',
  (_how, end) => {
    it.each(['GET', 'PUT', 'POST'])('costs a %s nothing, and it runs once', async (method) => {
      await keepConnections();
      const kept = new Set(tap.connections.items);
      let ended = 0;
      tap.alter((chunk, from, connection) => {
        if (from === 'near' && kept.has(connection)) {
          ended += 1;
          end(connection);
          return undefined;
        }
        return chunk;
      });

      const response = await send(method);

      expect(response.status).toBe(200);
      expect(response.body.toString()).toBe('ok');
      expect(tunnel.upstream.hits).toBe(1);
      expect(ended).toBe(1);
    });

    it('costs a request nothing either if another kept connection is free by then', async () => {
      let finishFirst = (): unknown => undefined;
      tunnel.upstream.handle((_request, response) => {
        finishFirst = () => response.end('ok');
      });
      const first = send('GET');
      await tunnel.upstream.requests.find();
      tunnel.upstream.handle(respondOk);
      expect((await send('GET')).status).toBe(200);
      const kept = new Set(tap.connections.items);
      const caught = new Promise<TappedConnection>((resolve) => {
        tap.alter((chunk, from, connection) => {
          if (from !== 'near' || !kept.has(connection)) {
            return chunk;
          }
          resolve(connection);
          return undefined;
        });
      });

      const second = send('GET');
      const connection = await caught;
      finishFirst();
      expect((await first).status).toBe(200);
      for (const other of kept) {
        if (other !== connection) {
          other.near.on('data', () => {
            end(other);
          });
        }
      }
      end(connection);

      expect((await second).status).toBe(200);
    });
  },
);

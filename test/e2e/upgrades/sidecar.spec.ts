import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { request } from '../../support/clients/client.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import {
  hasIntermediary,
  startSidecar,
  type Intermediary,
} from '../../support/network/intermediaries.js';
import { TOKEN } from '../../support/relays/relay.js';
import { startUpgradeTunnel, type UpgradeTunnel } from '../../support/tunnels/upgrade-tunnel.js';

const PAGE = 'https://app.example.com';
const PATH = '/socket?room=1';

const shared = sharedResources();
const hasNginx = hasIntermediary('nginx');
let tunnel: UpgradeTunnel;
let sidecar: Intermediary;

beforeAll(async () => {
  if (!hasNginx) {
    return;
  }
  const server = new WebSocketServer({ noServer: true });
  tunnel = shared(
    await startUpgradeTunnel(({ message, socket, head }) => {
      server.handleUpgrade(message, socket, head, (accepted) => {
        accepted.on('message', (data: Buffer) => {
          accepted.send(data);
        });
      });
    }),
  );
  const { inbound, outbound } = tunnel;
  sidecar = shared(
    await startSidecar({ relayPort: outbound.port, token: TOKEN, peer: inbound.url, page: PAGE }),
  );
});

/** A page says where its WebSocket leads, and sets no fields. The browser adds the host and the origin. */
const connect = (path: string, headers: Record<string, string>, host = 'localhost'): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${sidecar.port}${path}`, {
    headers: { host: `${host}:${sidecar.port}`, ...headers },
  });

const refusalOf = async (socket: WebSocket): Promise<number | undefined> => {
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  socket.terminate();
  return response.statusCode;
};

describe.skipIf(!hasNginx)('the sidecar that docs/configuration.md prints', () => {
  it('carries a WebSocket of a client that sets no field of the relay', async () => {
    const socket = connect(PATH, { origin: PAGE });
    await once(socket, 'open');
    for (const message of ['hello', 'x'.repeat(1_048_576)]) {
      const received = once(socket, 'message');
      socket.send(message);
      const [echoed] = (await received) as [Buffer];
      expect(echoed.toString() === message).toBe(true);
    }
    const closed = once(socket, 'close');
    socket.close(4000, 'done');
    expect(await closed).toEqual([4000, Buffer.from('done')]);
    const { message } = await tunnel.upgrades.find(({ message: { url } }) => url === PATH);
    expect(message.headers.origin).toBe(PAGE);
    expect(Object.keys(message.headers).filter((name) => name.startsWith('x-mte-'))).toEqual([]);
  });

  it('names the peer and the token itself, whatever the client sends', async () => {
    const others = { 'x-mte-upstream': 'http://127.0.0.1:9', 'x-mte-outbound-token': 'guessed' };
    const socket = connect('/named', { origin: PAGE, ...others });
    await once(socket, 'open');
    socket.terminate();
  });

  it.each<[string, string, Record<string, string>]>([
    ['of another page', 'localhost', { origin: 'https://attacker.example' }],
    ['of a page whose origin begins alike', 'localhost', { origin: `${PAGE}.attacker.example` }],
    ['without an origin', 'localhost', {}],
    ['for a name that resolves to this machine', 'attacker.example', { origin: PAGE }],
  ])('refuses a WebSocket %s, and asks no relay', async (_title, host, headers) => {
    expect(await refusalOf(connect('/refused', headers, host))).toBe(403);
    // The relays say nothing of it: this request is the next that they know of.
    await tunnel.send({ headers: { 'x-request-id': 'next' } });
    await tunnel.outbound.log.find(({ requestId }) => requestId === 'next');
    expect(tunnel.outbound.log.items.filter(({ status }) => status === 403)).toEqual([]);
    expect(tunnel.upgrades.items.filter(({ message }) => message.url === '/refused')).toEqual([]);
  });

  it('passes ordinary requests of the page, and no others', async () => {
    const ask = (headers: Record<string, string>) =>
      request(sidecar.url, { headers: { host: `localhost:${sidecar.port}`, ...headers } });
    expect(await ask({ origin: PAGE })).toMatchObject({
      status: 200,
      body: Buffer.from('no upgrade'),
    });
    expect((await ask({})).status).toBe(403);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';

import { startTap, type TappedConnection } from '../../support/attackers/tap.js';
import { request, type ClientResponse } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import {
  TOKEN,
  startRelay,
  type RelayEnvironment,
  type TestRelay,
} from '../../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';

const AUTO: RelayEnvironment = { TUNNEL_TRANSPORT: 'auto' };
const OPENING = 'GET /api/mte-channel';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: AUTO }));
});

interface Sent {
  readonly response: ClientResponse;
  readonly way: 'message' | 'stream';
}

let sent = 0;

/** Sends a request through relay A to relay B at `peer`. @returns with it how relay A says that it went */
async function send(
  outbound: TestRelay,
  peer: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Sent> {
  sent += 1;
  const id = `request-${sent}`;
  const response = await request(outbound.url, {
    method: 'POST',
    path: `/${id}`,
    headers: {
      'x-mte-outbound-token': TOKEN,
      'x-mte-upstream': peer,
      'x-request-id': id,
      ...headers,
    },
    body: id,
  });
  const line = await outbound.log.find(
    ({ requestId, role, ms }) => requestId === id && role === 'outbound' && ms !== undefined,
  );
  expect(`${response.status} ${response.body.toString()}`).toBe(`200 ${id}`);
  expect(line['attempt']).toBe(1);
  return { response, way: String(line['exchange']).includes('.') ? 'stream' : 'message' };
}

/** Sends requests until one goes over a channel. @returns how many went as messages before; none of them may fail */
async function sendUntilStream(outbound: TestRelay, peer: string): Promise<number> {
  for (let messages = 0; ; messages += 1) {
    if ((await send(outbound, peer)).way === 'stream') {
      return messages;
    }
  }
}

describe('TUNNEL_TRANSPORT=auto', () => {
  it('sends the first request as a message and later ones over a channel, and each of them once', async () => {
    const other = forThisTest(await startTunnel({ both: AUTO }));

    const messages = await sendUntilStream(other.outbound, other.inbound.url);

    expect(messages).toBeGreaterThanOrEqual(1);
    expect((await send(other.outbound, other.inbound.url)).way).toBe('stream');
    expect(other.upstream.hits).toBe(messages + 2);
  });

  it('sends requests as messages for as long as an opening takes', async () => {
    const other = forThisTest(await startTunnel({ both: AUTO }));
    const tap = forThisTest(await startTap(other.inbound.port));
    let held: (() => void)[] = [];
    const seen = new Set<TappedConnection>();
    tap.alter((chunk, from, connection) => {
      if (from !== 'near' || !chunk.toString('latin1').startsWith(OPENING)) {
        return chunk;
      }
      seen.add(connection);
      held.push(() => connection.far.write(chunk));
      return undefined;
    });
    await send(other.outbound, tap.url);
    await expect.poll(() => seen.size, { timeout: 40_000 }).toBe(2);

    for (let count = 0; count < 10; count += 1) {
      expect((await send(other.outbound, tap.url)).way).toBe('message');
    }

    tap.alter(undefined);
    held.forEach((release) => {
      release();
    });
    held = [];
    await sendUntilStream(other.outbound, tap.url);
  });

  it.each([
    ['for MTE', { 'x-mte-encode-type': 'MTE' }],
    ['with its path in plaintext', { 'x-mte-encode-url': 'false' }],
    ['with its fields in plaintext', { 'x-mte-encode-headers': 'false' }],
  ])('sends a request %s as a message although a channel is open', async (_what, headers) => {
    await sendUntilStream(tunnel.outbound, tunnel.inbound.url);

    expect((await send(tunnel.outbound, tunnel.inbound.url, headers)).way).toBe('message');
    expect((await send(tunnel.outbound, tunnel.inbound.url)).way).toBe('stream');
  });

  it('goes on with messages to a peer with TUNNEL_TRANSPORT=message', async () => {
    const other = forThisTest(
      await startTunnel({ outbound: AUTO, inbound: { TUNNEL_TRANSPORT: 'message' } }),
    );
    await send(other.outbound, other.inbound.url);
    await other.inbound.log.find(({ code }) => code === 'RELAY_OVERLOADED');

    for (let count = 0; count < 10; count += 1) {
      expect((await send(other.outbound, other.inbound.url)).way).toBe('message');
    }
    expect(other.upstream.hits).toBe(11);
  });

  it('of this relay alone is enough for messages: a relay with message asks for no channels', async () => {
    const other = forThisTest(
      await startTunnel({ outbound: { TUNNEL_TRANSPORT: 'message' }, inbound: AUTO }),
    );
    const tap = forThisTest(await startTap(other.inbound.port));

    for (let count = 0; count < 5; count += 1) {
      expect((await send(other.outbound, tap.url)).way).toBe('message');
    }
    expect(tap.wire().includes(OPENING)).toBe(false);
  });
});

describe('two relays that are each other’s peers', () => {
  it('send requests over channels in both directions at once', async () => {
    const { upstream } = tunnel;
    const [one, other] = await Promise.all(
      [1, 2].map(async () => forThisTest(await startRelay({ ...AUTO, UPSTREAM: upstream.url }))),
    );
    await Promise.all([sendUntilStream(one!, other!.url), sendUntilStream(other!, one!.url)]);

    const ways = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        at % 2 === 0 ? send(one!, other!.url) : send(other!, one!.url),
      ),
    );

    expect(new Set(ways.map(({ way }) => way))).toEqual(new Set(['stream']));
  });
});

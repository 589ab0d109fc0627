import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';

import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { errorOf, type ClientResponse } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import {
  freeAddress,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../support/tunnels/plain-client-tunnel.js';

const TRANSPORTS = ['message', 'channel'] as const;

/** A tunnel whose listener is at `address`, and whose API is at another. */
const startAt = async (
  address: string,
  upstream: string,
  transport: string,
): Promise<PlainClientTunnel> => {
  const environment = { TUNNEL_TRANSPORT: transport };
  return forThisTest(
    await startPlainClientTunnel({
      upstream,
      outbound: environment,
      inbound: environment,
      address,
      start: startRelay,
    }),
  );
};

/** A program that sends every request on to a server, with its fields. @param toTarget - makes the target of it */
async function startForwarder(
  to: () => { readonly url: string; readonly fields?: Readonly<Record<string, string>> },
  toTarget: (path: string) => string = (path) => path,
): Promise<string> {
  const server = createServer((incoming, response) => {
    const { url, fields } = to();
    const outgoing = httpRequest(
      url,
      {
        method: incoming.method ?? '',
        path: toTarget(incoming.url ?? ''),
        headers: { ...incoming.headers, ...fields },
      },
      (received) => {
        response.writeHead(received.statusCode ?? 0, received.headers);
        received.pipe(response);
      },
    );
    incoming.pipe(outgoing);
  });
  return forThisTest(await listen(server)).url;
}

/** How many requests a relay has been asked for by clients. */
const asked = ({ log }: TestRelay): number =>
  log.items.filter(({ role, ms }) => role === 'outbound' && ms !== undefined).length;

function expectLoop(response: ClientResponse): void {
  expect(response.status).toBe(508);
  expect(errorOf(response)).toMatchObject({ code: 'RELAY_LOOP', forwarded: 'no' });
}

describe.each(TRANSPORTS)('#110 a request with a body, as a %s,', (transport) => {
  const post = { method: 'POST', body: 'a'.repeat(100_000) };

  it('ends with 508 if the API of a peer is its own listener', async () => {
    const address = await freeAddress();
    const tunnel = await startAt(address, `http://${address}`, transport);
    expectLoop(await tunnel.listened(post));
    expectLoop(await tunnel.proxied(`http://${HOST}/`, post));
    expect(asked(tunnel.outbound)).toBe(4);
  });

  it('ends with 508 if the API sends it back through the forward proxy', async () => {
    const at: { tunnel?: PlainClientTunnel } = {};
    const forwarder = await startForwarder(
      () => ({ url: at.tunnel!.outbound.url, fields: at.tunnel!.credentials }),
      (path) => `http://${HOST}${path}`,
    );
    at.tunnel = await startAt(await freeAddress(), forwarder, transport);
    expectLoop(await at.tunnel.proxied(`http://${HOST}/a`, post));
    expectLoop(await at.tunnel.listened({ ...post, headers: { via: '1.1 before' } }));
    expect(asked(at.tunnel.outbound)).toBe(4);
  });

  it('ends with 508 if the APIs of two relays are the listeners of each other', async () => {
    const [first, second] = [await freeAddress(), await freeAddress()];
    const tunnels = [
      await startAt(first, `http://${second}`, transport),
      await startAt(second, `http://${first}`, transport),
    ];
    for (const tunnel of tunnels) {
      expectLoop(await tunnel.listened(post));
    }
    // Each request has been through the other relay once.
    expect(tunnels.map(({ outbound }) => asked(outbound))).toEqual([3, 3]);
  });
});

describe('#110 a request for a WebSocket', () => {
  it('ends with 508 if the API of a peer is its own listener', async () => {
    const address = await freeAddress();
    const tunnel = await startAt(address, `http://${address}`, 'auto');
    const [error] = (await once(new WebSocket(`ws://${address}`), 'error')) as [Error];
    expect(error.message).toContain('508');
    expect(asked(tunnel.outbound)).toBe(2);
  });
});

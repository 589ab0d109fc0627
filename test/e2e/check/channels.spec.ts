import { createServer, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startBalancer } from '../../support/network/balancer.js';
import { listen, type Listening } from '../../support/network/listen.js';
import { startStrippingProxy } from '../../support/network/stripping-proxy.js';
import { checkOf } from '../../support/relays/check.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
let upstream: Upstream;
let relayB: TestRelay;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  relayB = shared(await startRelay({ UPSTREAM: upstream.url, TUNNEL_TRANSPORT: 'auto' }));
});

/** A gateway that does something of its own with upgrades, and names itself in every response. */
async function startGateway(onUpgrade: (socket: Duplex) => void): Promise<Listening> {
  const { port } = relayB;
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = httpRequest({ port, method, path, headers, agent: false }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, via: '1.1 gate' });
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.on('error', () => undefined);
    onUpgrade(socket);
  });
  return forThisTest(await listen(server));
}

describe('a path that carries messages and no channels', () => {
  it('is named at the step channel, with the status and who has responded', async () => {
    const gateway = await startGateway((socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n');
    });

    const { step, failed } = await checkOf(gateway.url);

    expect(failed).toEqual(['channel', 'websocket']);
    expect(step('message').ok).toBe(true);
    expect(step('path').detail).toContain('via: 1.1 gate');
    expect(step('channel')).toMatchObject({ code: 'CHECK_UPGRADE_BLOCKED' });
    expect(step('channel').cause).toContain('gate/2 responds to the upgrade with status 403');
    expect(upstream.hits).toBe(0);
  });

  it('because the upgrade is lost on the way is named so', async () => {
    const gateway = forThisTest(await startStrippingProxy(relayB.port));

    const { step, failed } = await checkOf(gateway.url);

    expect(failed).toEqual(['channel', 'websocket']);
    expect(step('channel')).toMatchObject({ code: 'CHECK_UPGRADE_STRIPPED' });
    expect(upstream.hits).toBe(0);
  });

  it('because nothing responds to the upgrade ends the step within its limit', async () => {
    const gateway = await startGateway(() => undefined);

    const { step, failed } = await checkOf(gateway.url, {}, { limitMs: 2_000 });

    expect(failed).toEqual(['channel', 'websocket']);
    expect(step('channel')).toMatchObject({ code: 'CHECK_CHANNEL_TIMEOUT' });
  });
});

it('a relay B that takes no channels is named: it has signed that', async () => {
  const messagesOnly = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'message' }));

  const { step, failed } = await checkOf(messagesOnly.url);

  expect(failed).toEqual(['channel', 'websocket']);
  expect(step('channel')).toMatchObject({ code: 'CHECK_CHANNEL_REFUSED' });
});

it('replicas of relay B that share no store are named at the step message', async () => {
  const replica = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
  const balancer = forThisTest(await startBalancer());
  balancer.add(relayB.port);
  balancer.add(replica.port);

  const { step } = await checkOf(balancer.url);

  expect(step('message')).toMatchObject({ ok: false, code: 'CHECK_SESSION_LOST' });
});

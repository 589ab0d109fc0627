import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startBalancer } from '../../support/network/balancer.js';
import { listen, type Listening } from '../../support/network/listen.js';
import { startStrippingProxy } from '../../support/network/stripping-proxy.js';
import { checkOf } from '../../support/relays/check.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
let upstream: Upstream;
let relayB: TestRelay;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  relayB = shared(await startRelay({ UPSTREAM: upstream.url, TUNNEL_TRANSPORT: 'auto' }));
});

/** A gateway that does something of its own with upgrades, and names itself in every response. */
async function startGateway(onUpgrade: (socket: Duplex, head: string) => void): Promise<Listening> {
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
  server.on('upgrade', ({ method, url: path, rawHeaders }, socket: Duplex) => {
    socket.on('error', () => undefined);
    const fields = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    onUpgrade(socket, `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n`);
  });
  return forThisTest(await listen(server));
}

describe('a path that carries messages and no channels', () => {
  it('is named at the step channel, with the status and who has responded', async () => {
    const gateway = await startGateway((socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n');
    });

    const { step, failed } = await checkOf(gateway.url);

    expect(failed).toEqual(['channel']);
    expect(step('message').ok).toBe(true);
    expect(step('path').detail).toContain('via: 1.1 gate');
    expect(step('channel')).toMatchObject({ code: 'CHECK_UPGRADE_BLOCKED' });
    expect(step('channel').cause).toContain('gate/2 responds to the upgrade with status 403');
    expect(step('websocket')).toMatchObject({ ok: null, detail: 'the step channel has failed' });
    expect(upstream.hits).toBe(0);
  });

  it('because the upgrade is lost on the way is named so', async () => {
    const gateway = forThisTest(await startStrippingProxy(relayB.port));

    const { step, failed } = await checkOf(gateway.url);

    expect(failed).toEqual(['channel']);
    expect(step('channel')).toMatchObject({ code: 'CHECK_UPGRADE_STRIPPED' });
    expect(step('channel').cause).toContain('the upgrade is lost on the way');
    expect(upstream.hits).toBe(0);
  });

  it('because nothing responds to the upgrade ends the step within its limit', async () => {
    const gateway = await startGateway(() => undefined);

    const { step, failed } = await checkOf(gateway.url, {}, { relayLimitMs: 2_000 });

    expect(failed).toEqual(['channel']);
    expect(step('channel')).toMatchObject({ code: 'CHECK_CHANNEL_TIMEOUT' });
  });
});

it('a relay B that takes no channels is named: it has signed that', async () => {
  const messagesOnly = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'message' }));

  const { report, step, failed } = await checkOf(messagesOnly.url);

  expect(failed).toEqual(['channel']);
  expect(step('channel')).toMatchObject({ code: 'CHECK_CHANNEL_REFUSED' });
  expect(report).toMatchObject({ ok: false, requestsPass: true });
});

it('a relay A that uses channels only passes no requests without them', async () => {
  const messagesOnly = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'message' }));
  const { report } = await checkOf(messagesOnly.url, { TUNNEL_TRANSPORT: 'channel' });
  expect(report).toMatchObject({ ok: false, requestsPass: false });
});

it('an upgrade that reaches another relay, which does not know the sender, is named so', async () => {
  const stranger = forThisTest(
    await startRelay({ CLIENT_ID_SECRET: newSecret(), TUNNEL_TRANSPORT: 'auto' }),
  );
  const gateway = await startGateway((socket, head) => {
    const onward = connect(stranger.port, '127.0.0.1');
    onward.on('error', () => socket.destroy());
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });

  const { step, failed } = await checkOf(gateway.url);

  expect(failed).toEqual(['channel']);
  expect(step('channel').cause).toContain('or another relay, which does not know this sender');
});

it('replicas of relay B that share no store are named at the step message', async () => {
  const replica = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
  const balancer = forThisTest(await startBalancer());
  balancer.add(relayB.port);
  balancer.add(replica.port);

  const { step } = await checkOf(balancer.url);

  expect(step('message')).toMatchObject({ ok: false, code: 'CHECK_SESSION_LOST' });
});

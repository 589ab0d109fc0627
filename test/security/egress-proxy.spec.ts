import { beforeEach, beforeAll, describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  startConnectProxy,
  type ConnectProxy,
  type ConnectProxyOptions,
} from '../support/network/connect-proxy.js';
import { startNameService, type NameService } from '../support/network/name-service.js';
import type { RelayEnvironment } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const TRANSPORTS = ['message', 'channel'] as const;
const PASSWORD = 'canary-of-the-proxy';
const ENCODED = Buffer.from(`relay-a:${PASSWORD}`).toString('base64');

const shared = sharedResources();
let names: NameService;

beforeAll(() => {
  names = shared(startNameService());
});

beforeEach(() => {
  names.asked.length = 0;
});

const startProxy = async (options: ConnectProxyOptions = {}): Promise<ConnectProxy> =>
  forThisTest(await startConnectProxy(options));

const startBehind = async (proxy: ConnectProxy, outbound: RelayEnvironment = {}): Promise<Tunnel> =>
  forThisTest(
    await startTunnel({
      inbound: { TUNNEL_TRANSPORT: 'auto' },
      outbound: {
        PEER_PROXY_URL: proxy.url.replace('//', `//relay-a:${PASSWORD}@`),
        CONNECT_TIMEOUT_MS: '2000',
        ...outbound,
      },
    }),
  );

const sendTo = (tunnel: Tunnel, upstream: string) =>
  tunnel.send({ method: 'POST', body: 'x', headers: { 'x-mte-upstream': upstream } });

const targetsOf = (proxy: ConnectProxy): string[] => [
  ...new Set(proxy.requests.items.map(({ target }) => target)),
];

describe.each(TRANSPORTS)('#99 behind a proxy, a peer that is not listed (%s)', (transport) => {
  const environment = { TUNNEL_TRANSPORT: transport };

  it.each([
    ['a metadata address', ['169.254.169.254']],
    ['a metadata address after a harmless one', ['127.0.0.1', '169.254.169.254']],
    ['an IPv6 metadata address before a harmless one', ['fd00:ec2::254', '127.0.0.1']],
  ])('is not asked for if its name resolves to %s', async (_what, addresses) => {
    const proxy = await startProxy();
    const tunnel = await startBehind(proxy, environment);
    names.say('named.example', addresses);

    const response = await sendTo(tunnel, `http://named.example:${tunnel.inbound.port}`);

    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(names.asked).toEqual(['named.example']);
    expect(proxy.requests.items).toEqual([]);
  });

  it('is asked for at the address that was checked, by which the proxy cannot find another', async () => {
    const proxy = await startProxy();
    const tunnel = await startBehind(proxy, environment);
    const [good, bad] = [['127.0.0.1'], ['169.254.169.254']];
    names.say('flips.example', good, good, bad, good, bad, good);

    for (let count = 0; count < 6; count += 1) {
      await sendTo(tunnel, `http://flips.example:${tunnel.inbound.port}`);
      proxy.cut();
    }

    expect(names.asked.length).toBeGreaterThan(2);
    expect(targetsOf(proxy)).toEqual([`127.0.0.1:${tunnel.inbound.port}`]);
  });

  it('is refused with 403 if it is a metadata address itself', async () => {
    const proxy = await startProxy();
    const tunnel = await startBehind(proxy, environment);

    expect(await sendTo(tunnel, 'http://169.254.169.254')).toMatchObject({ status: 403 });
    expect(proxy.requests.items).toEqual([]);
  });
});

describe('#99 behind a proxy, a name', () => {
  it('that this relay cannot resolve is an error, unless it is listed', async () => {
    const proxy = await startProxy();
    const tunnel = await startBehind(proxy);

    const response = await sendTo(tunnel, 'http://relay-b.invalid');

    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(proxy.requests.items).toEqual([]);
  });

  it('that is listed is resolved by the proxy alone', async () => {
    const targets: Record<string, number> = {};
    const proxy = await startProxy({ targets });
    const tunnel = await startBehind(proxy, {
      OUTBOUND_ALLOWED_UPSTREAMS: 'http://relay-b.example:8080',
    });
    targets['relay-b.example:8080'] = tunnel.inbound.port;
    names.say('relay-b.example', ['169.254.169.254']);

    expect(await sendTo(tunnel, 'http://relay-b.example:8080')).toMatchObject({ status: 200 });

    expect(names.asked).toEqual([]);
    expect(targetsOf(proxy)).toEqual(['relay-b.example:8080']);
  });

  it('with addresses of both families is asked for at the other if the proxy does not reach the first', async () => {
    const targets: Record<string, number> = {};
    const proxy = await startProxy({ targets });
    const tunnel = await startBehind(proxy);
    const { port } = tunnel.inbound;
    names.say('both.example', ['::1', '127.0.0.1']);
    // Nothing listens there.
    targets[`[::1]:${port}`] = 9;

    expect(await sendTo(tunnel, `http://both.example:${port}`)).toMatchObject({ status: 200 });

    expect(targetsOf(proxy)).toEqual([`[::1]:${port}`, `127.0.0.1:${port}`]);
  });
});

describe('#100 the credentials of the proxy', () => {
  it.each(TRANSPORTS)('go to the proxy only: to no peer, client or log (%s)', async (transport) => {
    const proxy = await startProxy({ account: `relay-a:${PASSWORD}` });
    const tunnel = await startBehind(proxy, { TUNNEL_TRANSPORT: transport });
    const received: string[] = [];
    tunnel.inbound.app.getHttpServer().on('request', ({ rawHeaders }: { rawHeaders: string[] }) => {
      received.push(...rawHeaders);
    });

    const responses = [await sendTo(tunnel, tunnel.inbound.url)];
    expect(responses[0]).toMatchObject({ status: 200 });
    // Nothing listens there, which is an error of the proxy.
    responses.push(await sendTo(tunnel, 'http://127.0.0.1:9'));
    await proxy.close();
    responses.push(await sendTo(tunnel, 'http://127.0.0.1:10'));

    expect(responses.map(({ status }) => status)).toEqual([200, 502, 502]);
    const shown = JSON.stringify([
      tunnel.outbound.log.items,
      tunnel.inbound.log.items,
      received,
      tunnel.upstream.requests.items.map(({ rawHeaders }) => rawHeaders),
      responses.map(({ headers, body }) => [headers, body.toString()]),
    ]);
    expect(shown).not.toContain(PASSWORD);
    expect(shown).not.toContain(ENCODED);
    expect(shown).toContain(`proxy 127.0.0.1:${proxy.port}: `);
  });
});

describe('#101 what a proxy says', () => {
  it.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nx-mte-relay: v1\r\n\r\nforged',
    'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nx-mte-relay: v1\r\nContent-Length: 6\r\n\r\nforged',
    'HTTP/1.1 559 No\r\nx-mte-relay: v1\r\n\r\n',
    'HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nforged',
  ])('to CONNECT is never taken for the response of a peer: %j', async (head) => {
    const proxy = await startProxy({ instead: (client) => client.end(head) });
    const tunnel = await startBehind(proxy);

    const response = await sendTo(tunnel, tunnel.inbound.url);

    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(errorOf(response).code).toMatch(/^RELAY_PEER_PROXY_(?:REFUSED|UNREACHABLE)$/);
    expect(response.body.toString()).not.toContain('forged');
    expect(tunnel.upstream.hits).toBe(0);
  });
});

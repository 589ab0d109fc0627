import { createServer as createSecureServer } from 'node:https';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { selfSignedCertificate } from '../support/certificates/self-signed-certificate.js';
import { fieldValues, request } from '../support/clients/client.js';
import { listen } from '../support/network/listen.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { ENCODE_TYPES } from '../support/tunnels/transport.js';

const CLIENT_HOST = 'Registry.example:5000';
const AUDIENCE = 'https://public.example';

const shared = sharedResources();
/** Relay B tells the API the host that the client named. */
let tunnel: Tunnel;
/** Relays in front of the same API, with other settings. */
let byDefault: TestRelay;
let fixed: TestRelay;

beforeAll(async () => {
  const both = { PASS_THROUGH_ROUTES: '/open/*' };
  tunnel = shared(await startTunnel({ both, inbound: { UPSTREAM_HOST: 'client' } }));
  const environment = { ...both, UPSTREAM: tunnel.upstream.url };
  byDefault = shared(await startRelay(environment));
  fixed = shared(await startRelay({ ...environment, UPSTREAM_HOST: 'api.example:8443' }));
});

beforeEach(() => {
  tunnel.upstream.forget();
});

const receivedHosts = (): string[] =>
  tunnel.upstream.requests.items.flatMap(({ rawHeaders }) => fieldValues(rawHeaders, 'host'));
const upstreamHost = (): string => new URL(tunnel.upstream.url).host;

describe.each(ENCODE_TYPES)('the API is told (%s)', (type) => {
  const sendTo = (relay: TestRelay) =>
    tunnel.send({
      headers: { host: CLIENT_HOST, 'x-mte-upstream': relay.url, 'x-mte-encode-type': type },
    });

  it('its own host by default', async () => {
    await sendTo(byDefault);
    expect(receivedHosts()).toEqual([upstreamHost()]);
  });

  it('exactly the host that the client named with UPSTREAM_HOST=client', async () => {
    await sendTo(tunnel.inbound);
    expect(receivedHosts()).toEqual([CLIENT_HOST]);
  });

  it('a fixed host', async () => {
    await sendTo(fixed);
    expect(receivedHosts()).toEqual(['api.example:8443']);
  });
});

describe('with UPSTREAM_HOST=client', () => {
  const raw = (head: string) =>
    exchangeRaw(
      tunnel.outbound.port,
      `${head}\r\nx-mte-outbound-token: ${TOKEN}\r\nx-mte-upstream: ${tunnel.inbound.url}\r\nconnection: close\r\n\r\n`,
    );

  it('the API is told its own host if the client names none', async () => {
    await raw('GET / HTTP/1.0');
    await raw('GET / HTTP/1.1\r\nHost:');
    expect(receivedHosts()).toEqual([upstreamHost(), upstreamHost()]);
  });

  it('a target in absolute form takes precedence over the host field', async () => {
    await raw('GET http://elsewhere.example:81/a HTTP/1.1\r\nHost: other');
    expect(receivedHosts()).toEqual(['elsewhere.example:81']);
    expect(tunnel.upstream.requests.items[0]?.url).toBe('/a');
  });

  it('requests with different hosts share a connection to the API', async () => {
    await tunnel.send({ headers: { host: 'one.example' } });
    await tunnel.send({ headers: { host: 'two.example' } });
    expect(receivedHosts()).toEqual(['one.example', 'two.example']);
    const [first, second] = tunnel.upstream.requests.items.map(
      ({ message }) => message.socket.remotePort,
    );
    expect(second).toBe(first);
  });
});

describe('in TLS (#57)', () => {
  it('the API is asked for by the name in UPSTREAM, whatever host the client names', async () => {
    const names = new Recorder<string>();
    const server = createSecureServer({
      ...selfSignedCertificate(),
      SNICallback: (name, done) => {
        names.add(name);
        done(null);
      },
    });
    const { port } = forThisTest(await listen(server));
    const inbound = forThisTest(
      await startRelay({ UPSTREAM: `https://localhost:${port}`, UPSTREAM_HOST: 'client' }),
    );

    const { status } = await tunnel.send({
      headers: { host: 'evil.example', 'x-mte-upstream': inbound.url },
    });

    expect(status).toBe(502);
    expect(await names.count(1)).toEqual(['localhost']);
  });
});

describe('on a pass-through route (#57)', () => {
  const passThrough = (relay: TestRelay, host: string) =>
    request(relay.url, { path: '/open/a', headers: { host } });

  it('anybody cannot choose the host that the API is told', async () => {
    await passThrough(tunnel.inbound, 'admin.internal');
    await passThrough(fixed, 'admin.internal');
    await passThrough(byDefault, 'admin.internal');
    expect(receivedHosts()).toEqual([upstreamHost(), 'api.example:8443', upstreamHost()]);
  });

  it('the API is told the names of this relay that RELAY_AUDIENCE has', async () => {
    const named = forThisTest(
      await startRelay({
        PASS_THROUGH_ROUTES: '/open/*',
        UPSTREAM: tunnel.upstream.url,
        UPSTREAM_HOST: 'client',
        RELAY_AUDIENCE: AUDIENCE,
      }),
    );
    await passThrough(named, 'public.example');
    await passThrough(named, 'public.example.evil');
    expect(receivedHosts()).toEqual(['public.example', upstreamHost()]);
  });
});

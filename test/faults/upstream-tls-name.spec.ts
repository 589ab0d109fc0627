import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';

import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../support/certificates/certificates.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { tunnelClient } from '../support/tunnels/tunnel-client.js';

/** What an HTTPS upstream saw of a request. */
interface Seen {
  readonly serverName: unknown;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const shared = sharedResources();
let authority: Authority;
let outbound: TestRelay;

beforeAll(async () => {
  authority = shared(makeAuthority());
  outbound = shared(await startRelay());
});

async function startSecureUpstream(host: string, subject: string) {
  const seen: Seen[] = [];
  const { cert, key } = authority.issue(host, subject);
  const server = createServer(
    { cert: readFileSync(cert), key: readFileSync(key) },
    ({ socket, headers }, response) => {
      const { servername } = socket as TLSSocket & { readonly servername: unknown };
      seen.push({ serverName: servername, host: headers.host, port: socket.remotePort });
      response.end();
    },
  );
  const { port } = forThisTest(await listen(server));
  return { seen, url: `https://${host}:${port}` };
}

const startInbound = async (upstream: string, host: string): Promise<RelayProcess> =>
  forThisTest(
    await startRelayProcess({
      UPSTREAM: upstream,
      UPSTREAM_HOST: host,
      NODE_EXTRA_CA_CERTS: authority.ca,
    }),
  );

describe('an HTTPS upstream (#57)', () => {
  it.each<[name: string, subject: string, serverName: string | false]>([
    ['localhost', 'DNS:localhost', 'localhost'],
    ['127.0.0.1', 'IP:127.0.0.1', false],
  ])(
    'at %s is verified by the name in UPSTREAM, on one connection, whatever host clients name',
    async (name, subject, serverName) => {
      const upstream = await startSecureUpstream(name, subject);
      const inbound = await startInbound(upstream.url, 'client');
      const client = tunnelClient(outbound.url, inbound.url);

      for (const host of ['one.example', 'two.example:8443', '192.0.2.1']) {
        expect((await client.send({ headers: { host } })).status).toBe(200);
      }

      expect(upstream.seen.map(({ host }) => host)).toEqual([
        ...['one.example', 'two.example:8443', '192.0.2.1'],
      ]);
      expect(new Set(upstream.seen.map((request) => request.serverName))).toEqual(
        new Set([serverName]),
      );
      expect(new Set(upstream.seen.map(({ port }) => port)).size).toBe(1);
    },
  );

  it('is not believed to be a host that UPSTREAM_HOST fixes', async () => {
    const upstream = await startSecureUpstream('localhost', 'DNS:api.example');
    const inbound = await startInbound(upstream.url, 'api.example');

    const response = await tunnelClient(outbound.url, inbound.url).send();

    expect(response.status).toBe(502);
    expect(response.body.toString()).toContain('RELAY_UPSTREAM_UNREACHABLE');
    expect(upstream.seen).toEqual([]);
  });
});

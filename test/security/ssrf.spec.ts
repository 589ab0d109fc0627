import { createServer, type ServerResponse } from 'node:http';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, type ClientResponse } from '../support/clients/client.js';
import {
  watchConnections,
  type ConnectionAttempts,
} from '../support/network/connection-attempts.js';
import { listen } from '../support/network/listen.js';
import { startManInTheMiddle } from '../support/attackers/man-in-the-middle.js';
import { startNameService, type NameService } from '../support/network/name-service.js';
import { OpenSockets } from '../support/network/open-sockets.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;
let names: NameService;
let attempts: ConnectionAttempts;
/** A service on this machine that no client may reach through a relay. */
let inner: { readonly port: number; readonly url: string };
let innerConnections = 0;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  names = shared(startNameService());
  attempts = shared(watchConnections());
  const server = createServer((_request, response) => response.end('internal canary'));
  server.on('connection', () => {
    innerConnections += 1;
  });
  inner = shared(await listen(server));
});

beforeEach(() => {
  attempts.targets.length = 0;
  names.asked.length = 0;
  innerConnections = 0;
});

const sendTo = (upstream: string, relay = tunnel): Promise<ClientResponse> =>
  relay.send({ method: 'POST', body: 'x', headers: { 'x-mte-upstream': upstream } });

/** Where the relay tried to connect to: the client of this test connects only to the relay. */
const relayAttempts = (relay = tunnel): string[] =>
  attempts.targets.filter((target) => !target.endsWith(`:${relay.outbound.port}`));

describe('#25 x-mte-upstream that names an internal address', () => {
  /** Unless they are refused, all of them lead to a listener on this machine. */
  it.each([
    'http://0.0.0.0:PORT',
    'http://0:PORT',
    'http://0x0:PORT',
    'http://00.0.0.0:PORT',
    'http://0.0:PORT',
    'http://0x00000000:PORT/',
    'http://0.0.0.0.:PORT',
    'http://[::]:PORT',
    'http://[0:0:0:0:0:0:0:0]:PORT',
    'http://[::ffff:0.0.0.0]:PORT',
    'http://[::ffff:0:0]:PORT',
    'http://0.0.0.1:PORT',
  ])('is refused with 403, and the listener there gets no connection ("%s")', async (template) => {
    const response = await sendTo(template.replace('PORT', String(inner.port)));

    expect(response.status).toBe(403);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_UPSTREAM_REFUSED', forwarded: 'no' });
    expect(relayAttempts()).toEqual([]);
    expect(innerConnections).toBe(0);
  });

  it.each([
    'http://169.254.169.254.',
    'http://169.254.169.254:22',
    'https://169.254.169.254:443/',
    'http://169.16689662',
    'http://0XA9.0376.43518',
    'http://025177524776',
    'http://[::169.254.169.254]',
    'http://[0:0:0:0:0:ffff:a9fe:a9fe]:80',
    'http://[::FFFF:169.254.169.254]',
    'http://[64:ff9b::169.254.169.254]',
    'http://[2002:a9fe:a9fe::]',
    'http://[fe80::a9fe:a9fe]',
    'http://[FEBF::1]:8080',
    'http://[fd00:ec2::254]:80',
    'http://[FD00:0EC2:0:0::254]',
    'http://[fd00:ec2::23]',
    'http://[::ffff:100.100.100.200]',
    'http://[::ffff:168.63.129.16]',
    'http://[fd20:ce::254]',
    'http://[FD20:00CE:0:0::254]:80/',
    'http://[fd00:42::42]',
    'http://[fd00:c1::a9fe:a9fe]',
    'http://[fd00:c1::169.254.169.254]',
    'http://[fd00:a9fe:a9fe::1]',
    'http://[fd00:100::100:200]',
    'http://[64:ff9b:1::a9fe:a9fe]',
    'http://[64:ff9b:1:a9fe:a9:fe00::]',
    'http://[64:ff9b::100.100.100.200]',
    'http://[2002:a83f:8110::]',
    'http://[::ffff:0:169.254.169.254]',
    'http://[::ffff:192.0.0.192]',
    'http://0xa83f8110',
    'http://1684301000',
  ])(
    'is refused with 403 and no connection attempt if it names a metadata service ("%s")',
    async (value) => {
      const response = await sendTo(value);

      expect(response.status).toBe(403);
      expect(relayAttempts()).toEqual([]);
    },
  );

  it.each([
    'http://[fe80::1%25eth0]',
    'http://[fe80::1%eth0]',
    'http://[::ffff:169.254.169.254%25lo]',
    'http://169.254.169.254:80@relay.example',
    'http://relay.example@169.254.169.254',
    'http://relay.example:80#@169.254.169.254',
    'http://169.254.169.254\\.relay.example',
    'http://169.254.169.256',
    'http://0x169.254.169.254.0x1.1',
    'http://1.2.3.4.5:80/%2f',
    'http://[::ffff:169.254.169.254',
  ])(
    'is refused with 400, no lookup and no connection attempt if it is malformed ("%s")',
    async (value) => {
      const response = await sendTo(value);

      expect(response.status).toBe(400);
      expect([...relayAttempts(), ...names.asked]).toEqual([]);
    },
  );
});

describe('#25 a name', () => {
  it.each([
    ['the link-local metadata address', ['169.254.169.254']],
    ['a link-local neighbour', ['169.254.7.7']],
    ['a link-local IPv6 address', ['fe80::1']],
    ['the IPv6 metadata address', ['fd00:ec2::254']],
    ['an IPv4-mapped IPv6 address', ['::ffff:169.254.169.254']],
    ['an address of NAT64', ['64:ff9b::a9fe:a9fe']],
    ['an address of a local NAT64', ['64:ff9b:1::a9fe:a9fe']],
    ['the IPv6 metadata address of Google Cloud', ['fd20:ce::254']],
    ['the IPv6 metadata address of Scaleway', ['fd00:42::42']],
    ['the IPv6 metadata address of Oracle Cloud', ['fd00:c1::a9fe:a9fe']],
    ['the IPv6 metadata address of Akamai', ['fd00:a9fe:a9fe::1']],
    ['the IPv6 metadata address of Alibaba Cloud', ['fd00:100::100:200']],
    ['a refused address after a harmless one', ['127.0.0.1', '169.254.169.254']],
    ['a refused address before a harmless one', ['169.254.169.254', '127.0.0.1']],
    ['every interface of this machine', ['0.0.0.0']],
    ['every interface in IPv6', ['::']],
  ])('is looked up but not connected to if it resolves to %s', async (_what, addresses) => {
    const name = `name-${addresses.join('-').replaceAll(/[^\w]+/g, '-')}.example`;
    names.say(name, addresses);

    const response = await sendTo(`http://${name}:${inner.port}`);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(names.asked).toEqual([name]);
    expect(relayAttempts()).toEqual([]);
    expect(innerConnections).toBe(0);
  });

  it('is connected to at the address that was checked if it resolves to a relay', async () => {
    names.say('relay.example', ['127.0.0.1']);

    const response = await sendTo(`http://relay.example:${tunnel.inbound.port}`);

    expect(response.status).toBe(200);
    expect(new Set(relayAttempts())).toEqual(
      new Set([`127.0.0.1:${tunnel.inbound.port}`, `127.0.0.1:${tunnel.upstream.port}`]),
    );
    // One lookup for each connection, that of the pairing and that of the message.
    expect(names.asked).toHaveLength(2);
  });

  it('is never connected to at a refused address, even if every lookup gives another address', async () => {
    const flipping = forThisTest(await startTunnel());
    const [good, bad] = [['127.0.0.1'], ['0.0.0.0']];
    names.say('flips.example', good, bad, good, bad, good, bad, good);
    const url = `http://flips.example:${flipping.inbound.port}`;

    for (let count = 0; count < 6; count += 1) {
      await sendTo(url, flipping);
      flipping.inbound.app.getHttpServer().closeAllConnections();
    }

    expect(names.asked.length).toBeGreaterThan(2);
    expect(relayAttempts(flipping).filter((target) => target.startsWith('0.'))).toEqual([]);
  });

  it('gets no message at an internal address to which it changes after pairing', async () => {
    const rebound = forThisTest(await startTunnel());
    const connections = new OpenSockets(rebound.inbound.app.getHttpServer());
    const url = `http://rebound.example:${rebound.inbound.port}`;
    names.say('rebound.example', ['127.0.0.1']);
    expect(await sendTo(url, rebound)).toMatchObject({ status: 200 });
    names.say('rebound.example', ['0.0.0.0']);
    rebound.inbound.app.getHttpServer().closeAllConnections();
    await connections.until(0);
    rebound.upstream.forget();
    attempts.targets.length = 0;

    const response = await sendTo(url, rebound);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(relayAttempts(rebound)).toEqual([]);
    expect(rebound.upstream.hits).toBe(0);
  });

  it('is connected to at any address if OUTBOUND_ALLOWED_UPSTREAMS lists it', async () => {
    const url = `http://listed.example:${tunnel.inbound.port}`;
    const listing = forThisTest(
      await startTunnel({ outbound: { OUTBOUND_ALLOWED_UPSTREAMS: url } }),
    );
    names.say('listed.example', ['0.0.0.0']);

    expect(await sendTo(url, listing)).toMatchObject({ status: 200 });
  });
});

describe('#25 a redirect', () => {
  const internalUrl = (): string => `http://127.0.0.1:${inner.port}/latest/meta-data`;

  it.each([301, 302, 303, 307, 308])(
    'is not followed if the peer redirects a pairing (%i)',
    async (status) => {
      const redirecting = createServer((request, response: ServerResponse) => {
        request.resume();
        response.writeHead(status, { location: internalUrl() }).end();
      });
      const { url } = forThisTest(await listen(redirecting));

      const response = await sendTo(url);

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
      expect(innerConnections).toBe(0);
    },
  );

  it.each([301, 302, 303, 307, 308])(
    'is not followed if the peer redirects a message (%i)',
    async (status) => {
      const attacker = forThisTest(await startManInTheMiddle(tunnel.inbound.url));
      expect(await sendTo(attacker.url)).toMatchObject({ status: 200 });
      attacker.interceptTunnel(() => ({
        status,
        rawHeaders: ['location', internalUrl(), 'refresh', `0; url=${internalUrl()}`],
        body: Buffer.alloc(0),
      }));

      const response = await sendTo(attacker.url);

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_ANSWER_INVALID' });
      expect(innerConnections).toBe(0);
    },
  );

  it('is passed on to the client if the API sends it', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(302, { location: internalUrl() }).end();
    });

    const response = await sendTo(tunnel.inbound.url);

    expect([response.status, response.headers.location]).toEqual([302, internalUrl()]);
    expect(innerConnections).toBe(0);
  });
});

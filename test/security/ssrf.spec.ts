import { createServer, type ServerResponse } from 'node:http';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, type ClientResponse } from '../support/client.js';
import { watchConnections, type ConnectionAttempts } from '../support/connection-attempts.js';
import { listen } from '../support/listen.js';
import { startMiddle } from '../support/middle.js';
import { startNameService, type NameService } from '../support/name-service.js';
import { OpenSockets } from '../support/open-sockets.js';
import { forThisTest, sharedResources } from '../support/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;
let names: NameService;
let attempts: ConnectionAttempts;
/** Something on this machine that no client may reach through a relay. */
let inner: { readonly port: number; readonly url: string };
let innerConnections = 0;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  names = shared(startNameService());
  attempts = shared(watchConnections());
  const server = createServer((_request, response) => response.end('canary of the inside'));
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

/** Where the relay tried to connect to: the client of this test connects to the relay alone. */
const relayAttempts = (relay = tunnel): string[] =>
  attempts.targets.filter((target) => !target.endsWith(`:${relay.outbound.port}`));

describe('#25 x-mte-upstream that names an inner address', () => {
  /** All of them lead to a listener on this machine where nobody refuses them. */
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
  ])('"%s" is refused: 403, and a listener there sees nobody', async (template) => {
    const answer = await sendTo(template.replace('PORT', String(inner.port)));

    expect(answer.status).toBe(403);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_UPSTREAM_REFUSED', forwarded: 'no' });
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
  ])('"%s", where machines keep credentials, is refused: 403, and no attempt', async (value) => {
    const answer = await sendTo(value);

    expect(answer.status).toBe(403);
    expect(relayAttempts()).toEqual([]);
  });

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
  ])('"%s" is malformed: 400, and neither a lookup nor an attempt', async (value) => {
    const answer = await sendTo(value);

    expect(answer.status).toBe(400);
    expect([...relayAttempts(), ...names.asked]).toEqual([]);
  });
});

describe('#25 a name', () => {
  it.each([
    ['the link-local address of metadata', ['169.254.169.254']],
    ['a link-local neighbour', ['169.254.7.7']],
    ['a link-local IPv6 address', ['fe80::1']],
    ['metadata by IPv6', ['fd00:ec2::254']],
    ['an IPv4 address in IPv6', ['::ffff:169.254.169.254']],
    ['a refused address behind a harmless one', ['127.0.0.1', '169.254.169.254']],
    ['a refused address before a harmless one', ['169.254.169.254', '127.0.0.1']],
    ['every interface of this machine', ['0.0.0.0']],
    ['every interface by IPv6', ['::']],
  ])('that resolves to %s is looked up and not connected to', async (_what, addresses) => {
    const name = `name-${addresses.join('-').replaceAll(/[^\w]+/g, '-')}.example`;
    names.say(name, addresses);

    const answer = await sendTo(`http://${name}:${inner.port}`);

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(names.asked).toEqual([name]);
    expect(relayAttempts()).toEqual([]);
    expect(innerConnections).toBe(0);
  });

  it('that resolves to a relay is connected to, at the address that was checked', async () => {
    names.say('relay.example', ['127.0.0.1']);

    const answer = await sendTo(`http://relay.example:${tunnel.inbound.port}`);

    expect(answer.status).toBe(200);
    expect(new Set(relayAttempts())).toEqual(
      new Set([`127.0.0.1:${tunnel.inbound.port}`, `127.0.0.1:${tunnel.upstream.port}`]),
    );
    // Looked up once a connection, that of the pairing and that of the message, and never again.
    expect(names.asked).toHaveLength(2);
  });

  it('that resolves to another address at every question is never connected to at a refused one', async () => {
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

  it('that is turned to an inner address after pairing gets no message there', async () => {
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

    const answer = await sendTo(url, rebound);

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(relayAttempts(rebound)).toEqual([]);
    expect(rebound.upstream.hits).toBe(0);
  });

  it('that OUTBOUND_ALLOWED_UPSTREAMS lists is connected to wherever it is', async () => {
    const url = `http://listed.example:${tunnel.inbound.port}`;
    const listing = forThisTest(
      await startTunnel({ outbound: { OUTBOUND_ALLOWED_UPSTREAMS: url } }),
    );
    names.say('listed.example', ['0.0.0.0']);

    expect(await sendTo(url, listing)).toMatchObject({ status: 200 });
  });
});

describe('#25 a redirect of the peer', () => {
  const inside = (): string => `http://127.0.0.1:${inner.port}/latest/meta-data`;

  it.each([301, 302, 303, 307, 308])('%i is not followed when pairing', async (status) => {
    const redirecting = createServer((request, response: ServerResponse) => {
      request.resume();
      response.writeHead(status, { location: inside() }).end();
    });
    const { url } = forThisTest(await listen(redirecting));

    const answer = await sendTo(url);

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(innerConnections).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('%i is not followed with a message', async (status) => {
    const middle = forThisTest(await startMiddle(tunnel.inbound.url));
    expect(await sendTo(middle.url)).toMatchObject({ status: 200 });
    middle.meddleWithTunnel(() => ({
      status,
      rawHeaders: ['location', inside(), 'refresh', `0; url=${inside()}`],
      body: Buffer.alloc(0),
    }));

    const answer = await sendTo(middle.url);

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_PEER_ANSWER_INVALID' });
    expect(innerConnections).toBe(0);
  });

  it('of the API is the client’s to follow', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(302, { location: inside() }).end();
    });

    const answer = await sendTo(tunnel.inbound.url);

    expect([answer.status, answer.headers.location]).toEqual([302, inside()]);
    expect(innerConnections).toBe(0);
  });
});

import type { ServerResponse } from 'node:http';

import {
  CLIENT_ID_HEADER,
  PAIR_PATH,
  RELAY_HEADER,
  deriveSecretKeys,
  type SecretKeys,
} from '@relay/protocol';
import { verifyError } from '@relay/signature';
import { beforeAll, describe, expect, it } from 'vitest';

import { errorOf, request, type ClientResponse } from '../support/clients/client.js';
import { deliverTo, headerOf } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { openSocket, type RawSocket } from '../support/network/raw-socket.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { SECRET, startRelay, type TestRelay } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const LIMIT = 3;
const AT_LIMIT = { MAX_CONCURRENT_REQUESTS: String(LIMIT) };

let keys: SecretKeys;

beforeAll(async () => {
  keys = await deriveSecretKeys(SECRET);
});

/** Client requests that have reached the upstream and are not answered yet. */
interface Waiting {
  readonly responses: Recorder<ServerResponse>;
  readonly sent: Promise<ClientResponse>[];
  release(): Promise<ClientResponse[]>;
}

/** Sends `count` requests and resolves once all of them have reached the upstream. */
async function keepWaiting(
  tunnel: Tunnel,
  send: () => Promise<ClientResponse>,
  count = LIMIT,
): Promise<Waiting> {
  const responses = new Recorder<ServerResponse>();
  tunnel.upstream.handle((_request, response) => {
    responses.add(response);
  });
  const sent = Array.from({ length: count }, send);
  await responses.count(count);
  tunnel.upstream.handle(echoBody);
  tunnel.upstream.forget();
  return {
    responses,
    sent,
    release: () => {
      responses.items.forEach((response) => response.end());
      return Promise.all(sent);
    },
  };
}

const codesIn = ({ log }: TestRelay): unknown[] =>
  log.items.map(({ code }) => code).filter((code) => code !== undefined);

describe('#32 MAX_CONCURRENT_REQUESTS', () => {
  it('makes the outbound relay refuse the next request with 503 and Retry-After', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: AT_LIMIT }));
    const waiting = await keepWaiting(tunnel, () => tunnel.send());

    const refused = await tunnel.send({ method: 'POST', body: 'x' });

    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    for (const path of ['/health/live', '/health/ready', '/api/mte-echo', '/api/mte-relay']) {
      expect(await request(tunnel.outbound.url, { path })).toMatchObject({ status: 200 });
    }
    const wrong = { 'x-mte-outbound-token': 'wrong' };
    expect(await tunnel.send({ headers: wrong })).toMatchObject({ status: 401 });
    expect(tunnel.upstream.hits).toBe(0);
    expect(await waiting.release()).toMatchObject(Array(LIMIT).fill({ status: 200 }));
    expect(await tunnel.send()).toMatchObject({ status: 200 });
  });

  it('makes the inbound relay refuse the next request: its client gets 503, and nothing is retried', async () => {
    const tunnel = forThisTest(await startTunnel({ inbound: AT_LIMIT }));
    const waiting = await keepWaiting(tunnel, () => tunnel.send());

    const refused = await tunnel.send({ method: 'PUT', body: 'x' });

    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    expect(codesIn(tunnel.inbound)).toEqual(['RELAY_OVERLOADED']);
    expect(tunnel.upstream.hits).toBe(0);
    const paired = tunnel.outbound.log.items.filter(({ msg }) => msg === 'paired');
    expect(paired).toHaveLength(1);
    await waiting.release();
    expect(await tunnel.send()).toMatchObject({ status: 200 });
  });

  it('makes the inbound relay refuse a message in such a way that it can never be forwarded later', async () => {
    const tunnel = forThisTest(await startTunnel({ inbound: AT_LIMIT }));
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const waiting = await keepWaiting(tunnel, () => tunnel.send());
    const message = peer.seal({ body: ['x'] });

    const refused = await peer.deliver(message);
    await waiting.release();
    const replayed = await peer.deliver(message);

    expect(peer.signedErrorOf(message, refused)).toMatchObject({
      status: 564,
      isNeverForwarded: true,
    });
    expect(peer.signedErrorOf(message, replayed)).toMatchObject({ status: 565 });
    expect(tunnel.upstream.hits).toBe(0);
    expect(await peer.deliver(peer.seal())).toMatchObject({ status: 200 });
  });

  it('no longer counts requests whose clients have disconnected', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: AT_LIMIT, inbound: AT_LIMIT }));
    const responses = new Recorder<ServerResponse>();
    tunnel.upstream.handle((_request, response) => {
      responses.add(response);
    });
    const clients = Array.from({ length: LIMIT }, () => openSocket(tunnel.outbound.port));
    const fields = Object.entries(tunnel.clientHeaders).map((field) => `${field.join(': ')}\r\n`);
    for (const client of clients) {
      client.write(`GET / HTTP/1.1\r\nhost: a\r\n${fields.join('')}\r\n`);
    }
    await responses.count(LIMIT);
    const isOver = responses.items.map(
      (response) => new Promise((resolve) => response.once('close', resolve)),
    );
    tunnel.upstream.handle(echoBody);

    clients.forEach(({ socket }) => socket.resetAndDestroy());
    await Promise.all(isOver);

    expect(await tunnel.send()).toMatchObject({ status: 200 });
  });

  it('counts a request only once its sender has been authenticated', async () => {
    const one = { MAX_CONCURRENT_REQUESTS: '1' };
    const tunnel = forThisTest(await startTunnel({ outbound: one, inbound: one }));
    await tunnel.send();
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const [, clientId] = (await pairingRequest('http://b', keys)).request.rawHeaders.slice(2);
    const begin = (port: number, head: string): RawSocket => {
      const socket = forThisTest(openSocket(port));
      socket.write(`POST ${head}\r\nhost: a\r\ncontent-length: 1300\r\n\r\nx`);
      return socket;
    };

    for (let count = 0; count < 20; count += 1) {
      begin(tunnel.outbound.port, '/ HTTP/1.1\r\nx-mte-outbound-token: wrong');
      const pairing = `${PAIR_PATH} HTTP/1.1\r\nx-mte-relay: 1`;
      begin(tunnel.inbound.port, `${pairing}\r\nx-mte-client-id: ${String(clientId)}`);
      const { relayHeader } = peer.seal();
      const forged = `/ HTTP/1.1\r\nx-mte-relay: ${relayHeader}`;
      begin(tunnel.inbound.port, `${forged}\r\nx-mte-client-id: ${String(clientId)}`);
    }

    expect(await tunnel.send()).toMatchObject({ status: 200 });
  });
});

describe('#34 the rate limit of pairings', () => {
  const PER_MINUTE = 5;
  const startLimited = () => startRelay({ MAX_PAIRINGS_PER_MINUTE: String(PER_MINUTE) });
  const pairAs = async (relay: TestRelay, clientId: string) => {
    const { request: pairing } = await pairingRequest(relay.url, keys, Date.now(), clientId);
    const response = await deliverTo(relay.url, pairing);
    return { pairing, response };
  };

  it('refuses one peer above MAX_PAIRINGS_PER_MINUTE with a signed error, and lets others pair', async () => {
    const relay = forThisTest(await startLimited());
    for (let count = 0; count < PER_MINUTE; count += 1) {
      expect(await pairAs(relay, 'a')).toMatchObject({ response: { status: 200 } });
    }

    const { pairing, response } = await pairAs(relay, 'a');

    const clientIdHeader = headerOf(pairing, CLIENT_ID_HEADER);
    const signedError = verifyError(keys, clientIdHeader, headerOf(response, RELAY_HEADER), 564);
    expect(response.status).toBe(564);
    expect(signedError).toMatchObject({ isNeverForwarded: true });
    expect(codesIn(relay)).toEqual(['RELAY_PAIR_LIMIT']);
    expect(await pairAs(relay, 'b')).toMatchObject({ response: { status: 200 } });
  });

  it('does not count replayed pairings against the peer that first sent them', async () => {
    const relay = forThisTest(await startLimited());
    const { pairing } = await pairAs(relay, 'a');

    const replays = await Promise.all(
      Array.from({ length: 4 }, () => deliverTo(relay.url, pairing)),
    );
    for (let count = 0; count < 10 * PER_MINUTE; count += 1) {
      replays.push(await deliverTo(relay.url, pairing));
    }

    expect(new Set(replays.map(({ status }) => status))).toEqual(new Set([565]));
    expect(await pairAs(relay, 'a')).toMatchObject({ response: { status: 200 } });
  });

  it('causes 503 and Retry-After for a client whose request needs the refused pairing', async () => {
    const tunnel = forThisTest(
      await startTunnel({ inbound: { MAX_PAIRINGS_PER_MINUTE: '1', SESSION_MAX_MESSAGES: '1' } }),
    );
    expect(await tunnel.send()).toMatchObject({ status: 200 });

    const refused = await tunnel.send({ method: 'POST', body: 'x' });

    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(1);
  });

  it('is not used up by forgers at the same address, who cause 100 log lines a minute', async () => {
    const tunnel = forThisTest(await startTunnel());
    const { request: pairing } = await pairingRequest(tunnel.inbound.url, keys);
    const forged = { ...pairing, body: Buffer.alloc(pairing.body.length) };
    const forgedFields = forged.rawHeaders.map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    const forgedHead = `POST ${PAIR_PATH} HTTP/1.1\r\nhost: a\r\n${forgedFields.join('')}`;
    const startedAt = performance.now();
    for (let count = 0; count < 100; count += 1) {
      await deliverTo(tunnel.inbound.url, forged);
    }
    const keepAlive = forThisTest(openSocket(tunnel.inbound.port));

    for (let count = 0; count < 200; count += 1) {
      expect(await deliverTo(tunnel.inbound.url, forged)).toMatchObject({ status: 566 });
    }
    keepAlive.write(`${forgedHead}content-length: ${forged.body.length}\r\n\r\n`);
    keepAlive.write(forged.body);

    expect((await keepAlive.all()).toString()).toMatch(/^HTTP\/1.1 566 [^]*connection: close/i);
    expect(await tunnel.send()).toMatchObject({ status: 200 });
    const lines = codesIn(tunnel.inbound).filter((code) => code === 'RELAY_SENDER_INVALID');
    // The limit of 100 lines a minute refills during the test.
    const minutes = (performance.now() - startedAt) / 60_000;
    expect(lines.length).toBeGreaterThanOrEqual(100);
    expect(lines.length).toBeLessThanOrEqual(Math.ceil(100 * (1 + minutes)));
  });
});

describe('#33 an MTE message', () => {
  const IDLE_MS = 500;
  const MAX_BUFFER_MS = 10 * IDLE_MS;
  const MTE = 'x-mte-encode-type: MTE\r\n';
  const impatient = () => startTunnel({ both: { IDLE_TIMEOUT_MS: String(IDLE_MS) } });
  const begin = (tunnel: Tunnel, startLine: string, more: string): RawSocket => {
    const fields = Object.entries(tunnel.clientHeaders).map((field) => `${field.join(': ')}\r\n`);
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(`${startLine}\r\nhost: a\r\n${fields.join('')}${MTE}${more}\r\n`);
    return client;
  };

  it('is refused after ten times IDLE_TIMEOUT_MS if it trickles in without ever being silent', async () => {
    const tunnel = forThisTest(await impatient());
    await tunnel.send();
    tunnel.upstream.forget();
    const client = begin(tunnel, 'POST / HTTP/1.1', 'content-length: 100000\r\n');
    const startedAt = performance.now();
    const trickle = setInterval(() => {
      client.write('x');
    }, IDLE_MS / 5);

    const response = (await client.until('"requestId"')).toString('latin1');
    clearInterval(trickle);

    expect(response).toMatch(/^HTTP\/1.1 408 [^]*"RELAY_BODY_IDLE"[^]*"forwarded":"no"/);
    expect(performance.now() - startedAt).toBeGreaterThan(MAX_BUFFER_MS - IDLE_MS);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

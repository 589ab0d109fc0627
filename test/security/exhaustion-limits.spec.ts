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

import { errorOf, request, type ClientResponse } from '../support/client.js';
import { deliverTo, headerOf } from '../support/middle.js';
import { ProtocolClient, pairingRequest } from '../support/protocol-client.js';
import { openSocket, type RawSocket } from '../support/raw-socket.js';
import { Recorder } from '../support/recorder.js';
import { SECRET, startRelay, type TestRelay } from '../support/relay.js';
import { forThisTest } from '../support/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnel.js';
import { echoBody } from '../support/upstream.js';

const LIMIT = 3;
const AT_LIMIT = { MAX_CONCURRENT_REQUESTS: String(LIMIT) };

let keys: SecretKeys;

beforeAll(async () => {
  keys = await deriveSecretKeys(SECRET);
});

/** Requests of clients that the upstream keeps waiting. */
interface Waiting {
  readonly responses: Recorder<ServerResponse>;
  readonly answers: Promise<ClientResponse>[];
  release(): Promise<ClientResponse[]>;
}

/** As many requests as that, all of which have come to the upstream. */
async function keepWaiting(
  tunnel: Tunnel,
  send: () => Promise<ClientResponse>,
  count = LIMIT,
): Promise<Waiting> {
  const responses = new Recorder<ServerResponse>();
  tunnel.upstream.handle((_request, response) => {
    responses.add(response);
  });
  const answers = Array.from({ length: count }, send);
  await responses.count(count);
  tunnel.upstream.handle(echoBody);
  tunnel.upstream.forget();
  return {
    responses,
    answers,
    release: () => {
      responses.items.forEach((response) => response.end());
      return Promise.all(answers);
    },
  };
}

const codesIn = ({ log }: TestRelay): unknown[] =>
  log.items.map(({ code }) => code).filter((code) => code !== undefined);

describe('#32 as many requests as MAX_CONCURRENT_REQUESTS', () => {
  it('at the relay of the clients: the next is a 503 that says when to come back', async () => {
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

  it('at the relay of the API: the next is a 503 for its client, and not sent again', async () => {
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

  it('at the relay of the API: what was refused can never be forwarded later', async () => {
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

  it('through a pass-through route: the next is a 503', async () => {
    const environment = { ...AT_LIMIT, PASS_THROUGH_ROUTES: '/open' };
    const tunnel = forThisTest(await startTunnel({ inbound: environment }));
    const send = () => request(tunnel.inbound.url, { path: '/open' });
    const waiting = await keepWaiting(tunnel, send);

    const refused = await send();

    expect(refused.status).toBe(503);
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    await waiting.release();
    expect(await send()).toMatchObject({ status: 200 });
  });

  it('are over when their clients go away', async () => {
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

  it('take their places only once their senders have proved something', async () => {
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

describe('#34 pairings', () => {
  const PER_MINUTE = 5;
  const startLimited = () => startRelay({ MAX_PAIRINGS_PER_MINUTE: String(PER_MINUTE) });
  const pairAs = async (relay: TestRelay, clientId: string) => {
    const { request: pairing } = await pairingRequest(relay.url, keys, Date.now(), clientId);
    const answer = await deliverTo(relay.url, pairing);
    return { pairing, answer };
  };

  it('of one peer above MAX_PAIRINGS_PER_MINUTE are refused, signed; others pair', async () => {
    const relay = forThisTest(await startLimited());
    for (let count = 0; count < PER_MINUTE; count += 1) {
      expect(await pairAs(relay, 'a')).toMatchObject({ answer: { status: 200 } });
    }

    const { pairing, answer } = await pairAs(relay, 'a');

    const clientIdHeader = headerOf(pairing, CLIENT_ID_HEADER);
    const statement = verifyError(keys, clientIdHeader, headerOf(answer, RELAY_HEADER), 564);
    expect(answer.status).toBe(564);
    expect(statement).toMatchObject({ isNeverForwarded: true });
    expect(codesIn(relay)).toEqual(['RELAY_PAIR_LIMIT']);
    expect(await pairAs(relay, 'b')).toMatchObject({ answer: { status: 200 } });
  });

  it('of one peer that somebody replays do not count against it', async () => {
    const relay = forThisTest(await startLimited());
    const { pairing } = await pairAs(relay, 'a');

    const replays = await Promise.all(
      Array.from({ length: 4 }, () => deliverTo(relay.url, pairing)),
    );
    for (let count = 0; count < 10 * PER_MINUTE; count += 1) {
      replays.push(await deliverTo(relay.url, pairing));
    }

    expect(new Set(replays.map(({ status }) => status))).toEqual(new Set([565]));
    expect(await pairAs(relay, 'a')).toMatchObject({ answer: { status: 200 } });
  });

  it('that are refused so are a 503 for clients, while sessions that are left go on', async () => {
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

  it('of a relay are not hindered by forgers at the same address, who have 100 lines of log', async () => {
    const tunnel = forThisTest(await startTunnel());
    const { request: pairing } = await pairingRequest(tunnel.inbound.url, keys);
    const forged = { ...pairing, body: Buffer.alloc(pairing.body.length) };
    const forgedFields = forged.rawHeaders.map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    const forgedHead = `POST ${PAIR_PATH} HTTP/1.1\r\nhost: a\r\n${forgedFields.join('')}`;
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
    // Some of them are refilled meanwhile.
    expect(lines.length).toBeGreaterThanOrEqual(100);
    expect(lines.length).toBeLessThan(140);
  });
});

describe('#33 an MTE message', () => {
  const IDLE_MS = 150;
  const MAX_HOLD_MS = 10 * IDLE_MS;
  const MTE = 'x-mte-encode-type: MTE\r\n';
  const impatient = () => startTunnel({ both: { IDLE_TIMEOUT_MS: String(IDLE_MS) } });
  const begin = (tunnel: Tunnel, startLine: string, more: string): RawSocket => {
    const fields = Object.entries(tunnel.clientHeaders).map((field) => `${field.join(': ')}\r\n`);
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(`${startLine}\r\nhost: a\r\n${fields.join('')}${MTE}${more}\r\n`);
    return client;
  };

  it('that trickles in without ever being silent is held for ten times IDLE_TIMEOUT_MS', async () => {
    const tunnel = forThisTest(await impatient());
    await tunnel.send();
    tunnel.upstream.forget();
    const client = begin(tunnel, 'POST / HTTP/1.1', 'content-length: 100000\r\n');
    const startedAt = performance.now();
    const trickle = setInterval(() => {
      client.write('x');
    }, IDLE_MS / 5);

    const answer = (await client.until('"requestId"')).toString('latin1');
    clearInterval(trickle);

    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*"RELAY_BODY_IDLE"[^]*"forwarded":"no"/);
    expect(performance.now() - startedAt).toBeGreaterThan(MAX_HOLD_MS - IDLE_MS);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { request, errorOf } from '../support/clients/client.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import {
  SECRET,
  TOKEN,
  startRelay,
  type LogLine,
  type TestRelay,
} from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { IS_OVER_CHANNELS } from '../support/tunnels/transport.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const CANARY = 'canary-of-the-tests';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: { PASS_THROUGH_ROUTES: '/open' } }));
});

beforeEach(() => {
  tunnel.outbound.log.items.length = 0;
  tunnel.inbound.log.items.length = 0;
  tunnel.upstream.forget();
});

const SWITCHING_PROTOCOLS = 101;

/** Whether a line is about a request, other than the opening of a channel. */
const isOfRequest = ({ requestId, status }: LogLine): boolean =>
  requestId !== undefined && status !== SWITCHING_PROTOCOLS;

/** The line that a relay writes at the end of a request. */
function lineOf({ log }: TestRelay, role: string): Promise<LogLine> {
  return log.find((line) => line['role'] === role && isOfRequest(line));
}

describe('the log line of a request that received a response', () => {
  it('is written once by each relay, with common fields and those that only one relay knows', async () => {
    await tunnel.send({
      method: 'POST',
      body: 'twelve bytes',
      headers: { 'x-request-id': 'mine', traceparent: TRACEPARENT },
    });
    const outbound = await lineOf(tunnel.outbound, 'outbound');
    const inbound = await lineOf(tunnel.inbound, 'inbound');

    const both = {
      level: 30,
      msg: 'request completed',
      status: 200,
      ms: expect.any(Number) as number,
      bytesIn: 12,
      bytesOut: 12,
      trace_id: TRACE,
      exchange: expect.stringMatching(
        IS_OVER_CHANNELS ? /^[\w-]{8}-\d+\.\d+$/ : /^[\w-]{8}-\d+$/,
      ) as string,
    };
    expect(outbound).toMatchObject({
      ...both,
      requestId: 'mine',
      method: 'POST',
      peer: tunnel.inbound.url,
      attempt: 1,
    });
    expect(inbound).toMatchObject({ ...both, exchange: outbound['exchange'] });
    expect(Object.keys(inbound)).not.toContain('method');
    for (const { log } of [tunnel.outbound, tunnel.inbound]) {
      const ends = log.items.filter(
        (line) =>
          line.msg.startsWith('request ') && line['role'] !== 'pairing' && isOfRequest(line),
      );
      expect(ends).toHaveLength(1);
    }
  });

  it('counts the bytes of streamed bodies and of pass-through requests', async () => {
    const large = Buffer.alloc(300_000, 'x');
    await tunnel.send({ method: 'PUT', body: large });
    expect(await lineOf(tunnel.inbound, 'inbound')).toMatchObject({
      bytesIn: 300_000,
      bytesOut: 300_000,
    });

    await request(tunnel.inbound.url, {
      method: 'POST',
      path: '/open',
      body: 'abc',
      headers: { traceparent: TRACEPARENT },
    });
    expect(await lineOf(tunnel.inbound, 'pass-through')).toMatchObject({
      method: 'POST',
      bytesIn: 3,
      bytesOut: 3,
      trace_id: TRACE,
    });
  });

  it.skipIf(IS_OVER_CHANNELS)(
    'gives the number of attempts of a retried request, and a line of level 20 gives the reason',
    async () => {
      const first = await startRelay({ UPSTREAM: tunnel.upstream.url });
      const headers = { 'x-mte-upstream': first.url };
      await tunnel.send({ headers });
      await first.close();
      const again = { UPSTREAM: tunnel.upstream.url, PORT: String(first.port) };
      const restarted = forThisTest(await startRelay(again));
      tunnel.outbound.log.items.length = 0;

      expect(await tunnel.send({ headers })).toMatchObject({ status: 200 });

      expect(await lineOf(tunnel.outbound, 'outbound')).toMatchObject({ attempt: 2 });
      const { items } = tunnel.outbound.log;
      expect(items.find(({ msg }) => msg === 'sending again')).toMatchObject({
        level: 20,
        reason: 'a signed error with status 560',
        forwarded: 'maybe',
      });
      expect(items.find(({ msg }) => msg === 'paired')).toMatchObject({ reason: 'dropped' });
      expect(await lineOf(restarted, 'inbound')).toMatchObject({ code: 'RELAY_SESSION_UNKNOWN' });
    },
  );
});

describe('traceparent', () => {
  it.each([
    ['if it is valid', TRACEPARENT, TRACE],
    ['if it is malformed', '00-0-not-one', undefined],
  ])('travels sealed and reaches the upstream unchanged %s', async (_how, traceparent, traceId) => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await tunnel.send({ headers: { 'x-mte-upstream': tap.url, traceparent } });

    expect(tunnel.upstream.requests.items[0]?.headers['traceparent']).toBe(traceparent);
    expect(tap.wire().includes(traceparent)).toBe(false);
    const lines = [
      await lineOf(tunnel.outbound, 'outbound'),
      await lineOf(tunnel.inbound, 'inbound'),
    ];
    expect(lines.map((line) => line['trace_id'])).toEqual([traceId, traceId]);
  });
});

describe('the log line of a request that failed', () => {
  it('identifies the request and gives every cause if the peer is unreachable', async () => {
    const peer = 'http://127.0.0.1:9';
    const response = await tunnel.send({
      method: 'POST',
      body: 'x',
      headers: { 'x-mte-upstream': peer, traceparent: TRACEPARENT },
    });

    const line = await lineOf(tunnel.outbound, 'outbound');
    expect(line).toMatchObject({
      level: 50,
      requestId: errorOf(response).requestId,
      method: 'POST',
      peer,
      trace_id: TRACE,
      status: 502,
      code: 'RELAY_PEER_UNREACHABLE',
      error: { cause: { message: expect.stringContaining('ECONNREFUSED') as string } },
    });
  });

  it('says what a refused path has, and not the path', async () => {
    const limited = forThisTest(await startTunnel({ inbound: { MTE_ROUTES: '/open/*' } }));
    await limited.send({ path: `/open/..%3b/${CANARY}` });
    await limited.send({ path: `/${CANARY}` });

    const line = await limited.inbound.log.find(({ code }) => code === 'RELAY_PATH_REFUSED');
    expect(line).toMatchObject({
      status: 400,
      error: { message: expect.any(String) as string },
    });
    expect(
      await limited.inbound.log.find(({ code }) => code === 'RELAY_ROUTE_UNKNOWN'),
    ).toMatchObject({ status: 404, error: { message: expect.any(String) as string } });
    expect(JSON.stringify(limited.inbound.log.items)).not.toContain(CANARY);
  });

  it('gives what is known about a client without a valid token', async () => {
    await tunnel.send({
      method: 'PATCH',
      headers: { 'x-mte-outbound-token': 'wrong', traceparent: TRACEPARENT },
    });

    expect(await lineOf(tunnel.outbound, 'outbound')).toMatchObject({
      level: 40,
      code: 'RELAY_TOKEN_INVALID',
      method: 'PATCH',
      trace_id: TRACE,
    });
  });

  it.each([
    ['bytes that are not HTTP', 'no HTTP\r\n\r\n', 'none', 'RELAY_REQUEST_INVALID'],
    [
      'an expectation',
      `GET / HTTP/1.1\r\nhost: a\r\nx-mte-outbound-token: ${TOKEN}\r\nexpect: x\r\nconnection: close\r\n\r\n`,
      'outbound',
      'RELAY_EXPECTATION_FAILED',
    ],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n', 'none', 'RELAY_METHOD_UNSUPPORTED'],
    [
      'an undecodable path of a relay endpoint',
      'GET /api/mte-echo/%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      'own',
      'RELAY_REQUEST_INVALID',
    ],
  ])('has the requestId of the response to %s', async (_what, bytes, role, code) => {
    const response = (await exchangeRaw(tunnel.outbound.port, bytes)).toString('latin1');

    const { error } = JSON.parse(response.slice(response.indexOf('\r\n\r\n'))) as {
      readonly error: { readonly requestId: string; readonly code: string };
    };
    const line = await lineOf(tunnel.outbound, role);
    expect(error.code).toBe(code);
    expect(line).toMatchObject({
      level: 40,
      msg: 'request refused',
      requestId: error.requestId,
      code,
    });
  });
});

describe('the log as a whole', () => {
  it('explains each step at level 20 and never contains a secret, a path, a header or a body', async () => {
    await tunnel.send({
      method: 'POST',
      path: `/${CANARY}`,
      headers: { authorization: CANARY },
      body: CANARY,
    });
    await tunnel.send({ path: `/${CANARY}`, headers: { 'x-mte-outbound-token': CANARY } });
    await lineOf(tunnel.inbound, 'inbound');

    const lines = [...tunnel.outbound.log.items, ...tunnel.inbound.log.items];
    const explained = lines.filter(({ level }) => level === 20).map(({ msg }) => msg);
    expect(explained).toEqual(
      expect.arrayContaining([
        'sealing a message',
        ...(IS_OVER_CHANNELS ? [] : ['message opened and marked']),
      ]),
    );
    const text = JSON.stringify(lines);
    for (const secret of [CANARY, TOKEN, SECRET]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('a client that is refused before routing', () => {
  it('loses its connection even if it never closes its own side', async () => {
    const socket = connect({ port: tunnel.outbound.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write('CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n');
    const server = tunnel.outbound.app.getHttpServer();
    await once(socket, 'data');
    const openConnections = () =>
      new Promise<number>((resolve) => {
        server.getConnections((_error: Error | null, count: number) => {
          resolve(count);
        });
      });

    // The relay has ended its side of the connection, and waits for the client's.
    while ((await openConnections()) > 0) {
      await delay(100);
    }

    socket.destroy();
  });
});

import { RELAY_HEADER, deriveSecretKeys, type SecretKeys } from '@relay/protocol';
import { verifyError, type SignedError } from '@relay/signature';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, type ClientRequestSpec } from '../support/clients/client.js';
import { flipBit } from '../support/attackers/corruption.js';
import {
  deliverTo,
  headerOf,
  type WireResponse,
  type WireRequest,
} from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, type SealedMessage } from '../support/attackers/protocol-client.js';
import { openSocket, type RawSocket } from '../support/network/raw-socket.js';
import { SECRET } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  startSharedSessionTunnel,
  type SharedSessionTunnel,
} from '../support/tunnels/shared-session-tunnel.js';

const POST = { method: 'POST', path: '/pay', body: 'one coin' };
const BITMAP_AT = 1312;

let tunnel: SharedSessionTunnel;
let keys: SecretKeys;

beforeAll(async () => {
  keys = await deriveSecretKeys(SECRET);
});

beforeEach(async () => {
  tunnel = forThisTest(await startSharedSessionTunnel());
});

/** The verified signed error in the response to a request; undefined if there is none. */
const signedErrorOf = (request: WireRequest, response: WireResponse): SignedError | undefined =>
  verifyError(
    keys,
    headerOf(request, 'x-mte-client-id'),
    headerOf(response, RELAY_HEADER),
    response.status,
  );

const neverForwarded = (status: number) => ({ status, isNeverForwarded: true });
const mayBeForwarded = (status: number) => ({ status, isNeverForwarded: false });

const toTheOther = (request: WireRequest): Promise<WireResponse> =>
  deliverTo(tunnel.inbound[1].url, request);

/** Sends a request that is answered with 200, and returns the message that was sent for it. */
const served = async (
  spec: ClientRequestSpec = POST,
): Promise<{ request: WireRequest; key: string; sequence: number }> => {
  expect(await tunnel.send(spec)).toMatchObject({ status: 200 });
  const request = tunnel.attacker.tunnelRequests().at(-1)!;
  const [, sid = '', sequence] = headerOf(request, RELAY_HEADER).split('.');
  return { request, key: `mte:s:${sid}`, sequence: Number(sequence) };
};

const pairingOf = (): WireRequest =>
  tunnel.attacker.requests.items.find(({ path }) => path === '/api/mte-pair')!;

describe('#5 a captured request', () => {
  it('is refused as a replay by the other replica', async () => {
    const { request } = await served();

    const response = await toTheOther(request);

    expect(signedErrorOf(request, response)).toMatchObject({
      status: 565,
      isNeverForwarded: false,
    });
    expect(tunnel.upstream.hits).toBe(1);
  });
});

describe('#7 a POST that is corrupted on its way to one replica', () => {
  it('consumes its sequence number for all replicas: another one refuses the original after the retry', async () => {
    const attempts: WireRequest[] = [];
    tunnel.attacker.interceptTunnel((request, deliver) => {
      attempts.push(request);
      const isFirst = attempts.length === 1;
      return deliver(isFirst ? { ...request, body: flipBit(request.body, 1000) } : request);
    });

    expect(await tunnel.send(POST)).toMatchObject({ status: 200 });
    const late = await toTheOther(attempts[0]!);

    expect(attempts).toHaveLength(2);
    expect(signedErrorOf(attempts[0]!, late)).toMatchObject({ status: 565 });
    expect(tunnel.upstream.hits).toBe(1);
  });
});

describe('#16 a Redis that is restored from a snapshot', () => {
  it('has lost a mark, but no replay is executed, because the session is dead', async () => {
    await served();
    await tunnel.redis.save();
    const { request, key, sequence } = await served();
    expect(await tunnel.redis.getbit(key, BITMAP_AT + sequence)).toBe(1);
    await tunnel.server.kill();
    await tunnel.restoreRedis();
    expect(await tunnel.redis.getbit(key, BITMAP_AT + sequence)).toBe(0);

    const responses = await afterReconnecting(request);

    expect(responses.map((response) => signedErrorOf(request, response))).toMatchObject([
      mayBeForwarded(560),
      mayBeForwarded(560),
    ]);
    expect(await tunnel.redis.get(key)).toBe('x');
    expect(tunnel.upstream.hits).toBe(2);
  });

  /** Delivers a request to both relays once they have reconnected to Redis. */
  const afterReconnecting = async (request: WireRequest): Promise<WireResponse[]> => {
    const isBack = (response: WireResponse): boolean => response.status !== 563;
    const options = { timeout: 15_000 };
    await expect
      .poll(async () => isBack(await tunnel.attacker.deliver(request)), options)
      .toBe(true);
    await expect.poll(async () => isBack(await toTheOther(request)), options).toBe(true);
    return Promise.all([tunnel.attacker.deliver(request), toTheOther(request)]);
  };
});

describe('#17 a session that is evicted between two requests', () => {
  it('takes its marks with it: a replay is refused, and the next safe request gets a new session', async () => {
    const { request, key } = await served();
    await tunnel.redis.del(key);

    const response = await toTheOther(request);

    expect(signedErrorOf(request, response)).toMatchObject(mayBeForwarded(560));
    expect(tunnel.upstream.hits).toBe(1);
    const next = await served({ method: 'GET' });
    expect(next.key).not.toBe(key);
    expect(tunnel.upstream.hits).toBe(2);
  });

  it('makes the outcome of a POST that follows at once uncertain, because the marks are lost: it is not sent again', async () => {
    const { key } = await served();
    await tunnel.redis.del(key);

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(tunnel.attacker.tunnelRequests()).toHaveLength(2);
    expect(tunnel.upstream.hits).toBe(1);
    const next = await served();
    expect(next.key).not.toBe(key);
    expect(tunnel.upstream.hits).toBe(2);
  });

  it('cannot be paired again after one of its old messages was refused', async () => {
    const { request, key } = await served();
    await tunnel.redis.del(key);
    await toTheOther(request);

    const response = await toTheOther(pairingOf());

    expect(signedErrorOf(pairingOf(), response)).toMatchObject(neverForwarded(565));
    expect(await tunnel.redis.get(key)).toBe('x');
  });
});

describe('#40 a session that is evicted and then paired again by a replay', () => {
  it('does not open its old messages, because it has new keys, and proves nothing about them', async () => {
    const { request, key, sequence } = await served();
    await tunnel.redis.del(key);
    expect((await toTheOther(pairingOf())).status).toBe(200);
    expect(await tunnel.redis.getbit(key, BITMAP_AT + sequence)).toBe(0);

    const responses = [await toTheOther(request), await tunnel.attacker.deliver(request)];

    // What the relay signs about the first one is bound to the new keys, so it does not verify for the sender.
    expect(headerOf(responses[0]!, RELAY_HEADER)).toMatch(/^1\.error\.562\.0\./);
    expect(responses.map((response) => signedErrorOf(request, response))).toMatchObject([
      undefined,
      { status: 565 },
    ]);
    expect(tunnel.upstream.hits).toBe(1);
  });

  it.each(['mke', 'mte'] as const)(
    'does not accept the mark of a message (%s) that was opened before, and is dead from then on',
    async (type) => {
      const client = await ProtocolClient.pair(tunnel.attacker.url);
      const message = client.seal({ type, body: ['one coin'] });
      const again = client.seal();
      const key = `mte:s:${client.session.sid}`;
      const socket = await openedBy(tunnel.inbound[1].port, message, key);
      await tunnel.redis.del(key);
      expect((await toTheOther(pairingOf())).status).toBe(200);

      socket.write(message.body);
      const response = (await socket.all()).toString('latin1');

      expect(response).toMatch(/^HTTP\/1.1 560 /);
      expect(response).toContain('x-mte-relay: 1.error.560.1.');
      expect(await tunnel.redis.get(key)).toBe('x');
      expect(client.signedErrorOf(again, await client.deliver(again))).toMatchObject(
        mayBeForwarded(560),
      );
      expect(tunnel.upstream.hits).toBe(0);
    },
  );

  /** Sends a message without its body and resolves once the relay has read the session. */
  const openedBy = async (
    port: number,
    message: SealedMessage,
    key: string,
  ): Promise<RawSocket> => {
    const monitor = await tunnel.redis.monitor();
    const isRead = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, [command, ...args]: string[]) => {
        if (command?.toLowerCase() === 'getrange' && args.includes(key)) {
          resolve();
        }
      });
    });
    const socket = forThisTest(openSocket(port));
    const fields = message.rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${message.rawHeaders[at + 1] ?? ''}\r\n`] : [],
    );
    socket.write(
      `POST ${message.path} HTTP/1.1\r\nhost: b\r\nconnection: close\r\n` +
        `content-length: ${message.body.length}\r\n${fields.join('')}\r\n`,
    );
    await isRead;
    monitor.disconnect();
    return socket;
  };
});

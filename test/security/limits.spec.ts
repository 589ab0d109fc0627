import { Readable } from 'node:stream';

import { RELAY_HEADER, TUNNEL_PATH, type SecretKeys, deriveSecretKeys } from '@relay/protocol';
import { SessionStore } from '@relay/session';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { errorOf, request } from '../support/clients/client.js';
import { deliverTo, headerOf } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { SECRET, startRelay, type TestRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(65_536, 'x');
const SALT_22 = 'AAAAAAAAAAAAAAAAAAAAAA';

const shared = sharedResources();
let tunnel: Tunnel;
let client: ProtocolClient;
/** Only the test calls this relay, so the test has caused every operation of its store. */
let quiet: TestRelay;
let keys: SecretKeys;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  client = await ProtocolClient.pair(tunnel.inbound.url);
  quiet = shared(await startRelay());
  keys = await deriveSecretKeys(SECRET);
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** An endless body, and how many of its bytes have been read. */
function endless(): { body: Readable; taken: () => number } {
  let taken = 0;
  const chunks = function* (): Generator<Buffer> {
    for (;;) {
      taken += CHUNK.length;
      yield CHUNK;
    }
  };
  return { body: Readable.from(chunks(), { objectMode: false }), taken: () => taken };
}

/** Counts the store operations of the quiet relay. */
function spyOnStore(): () => number {
  const store = quiet.app.get<SessionStore>(SessionStore);
  const spies = (['reserve', 'put', 'open', 'mark', 'kill'] as const).map((operation) =>
    vi.spyOn(store, operation),
  );
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

describe('#33 size limits', () => {
  it('refuse oversized header fields of a client with 431 and a regular error body', async () => {
    const response = await tunnel.send({ headers: { 'x-large': 'x'.repeat(100_000) } });

    expect(response.status).toBe(431);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_REQUEST_TOO_LARGE', forwarded: 'no' });
  });

  it('refuse a head that is too large for a message with 400, and nothing is sealed', async () => {
    const response = await tunnel.send({ headers: { 'x-large': 'x'.repeat(70_000) } });

    expect(response.status).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_HEAD_INVALID', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it.each([0x7fff_ffff, 0xffff_ffff, 69_650, 16, 0])(
    'refuse a record length that is out of range (%i) before the record arrives',
    async (length) => {
      const open = (recordBytes: number) => {
        const header = Buffer.alloc(4);
        header.writeUInt32BE(recordBytes);
        const { rawHeaders } = client.seal();
        const socket = forThisTest(openSocket(tunnel.inbound.port));
        const fields = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
        const stated = 'content-length: 4000000000\r\n\r\n';
        socket.write(`POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: a\r\n${fields.join('')}${stated}`);
        socket.write(header);
        return socket;
      };
      // Its record never arrives, either: the time limit of records would end it before the other one.
      const waiting = open(69_649);

      const response = await open(length).until('\r\n\r\n');

      expect(response.toString('latin1')).toMatch(/^HTTP\/1.1 562 /);
      expect(waiting.received).toHaveLength(0);
      expect(tunnel.upstream.hits).toBe(0);
    },
  );

  it('end an endless upload in an MTE message with 413', async () => {
    const { body, taken } = endless();

    const response = await tunnel.send({
      method: 'POST',
      headers: { 'x-mte-encode-type': 'MTE', connection: 'keep-alive' },
      body,
    });
    body.destroy();

    expect(response.status).toBe(413);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_BODY_TOO_LARGE', forwarded: 'no' });
    expect(taken()).toBeLessThan(64 * MIB);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('end an endless response in an MTE message with 502, and abort it at the upstream', async () => {
    const { body, taken } = endless();
    const aborted = new Promise<boolean>((resolve) => {
      tunnel.upstream.handle((_request, response) => {
        response.writeHead(200);
        body.pipe(response);
        response.once('close', () => {
          resolve(!response.writableFinished);
        });
      });
    });

    const response = await tunnel.send({ headers: { 'x-mte-encode-type': 'MTE' } });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(await aborted).toBe(true);
    body.destroy();
    expect(taken()).toBeLessThan(64 * MIB);
  });

  it.each([
    ['a length of 1483', 'content-length: 1483\r\n'],
    ['an invalid length', 'content-length: 1e3\r\n'],
    ['no length', 'transfer-encoding: chunked\r\n'],
  ])('refuse a pairing request with %s before its body arrives', async (_what, framing) => {
    const operations = spyOnStore();
    const { request: pairing } = await pairingRequest(quiet.url, keys);
    const fields = pairing.rawHeaders.map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    const socket = forThisTest(openSocket(quiet.port));
    socket.write(`POST /api/mte-pair HTTP/1.1\r\nhost: a\r\n${fields.join('')}${framing}\r\n`);

    const response = await socket.until('\r\n\r\n');

    expect(response.toString('latin1')).toMatch(/^HTTP\/1.1 (566|400) /);
    expect(operations()).toBe(0);
  });
});

describe('#34 a flood of forged requests', () => {
  it('never reaches the session store with random session ids', async () => {
    const operations = spyOnStore();
    const statuses = new Set<number>();

    for (let batch = 0; batch < 20; batch += 1) {
      const responses = await Promise.all(
        Array.from({ length: 50 }, (_, at) => {
          const { rawHeaders } = client.seal();
          const sid = Buffer.alloc(16, batch * 50 + at).toString('base64url');
          return request(quiet.url, {
            method: 'POST',
            path: at % 2 === 0 ? TUNNEL_PATH : '/api/mte-pair',
            headers: {
              'x-mte-relay': at % 2 === 0 ? `1.${sid}.1.0.mke.${SALT_22}` : '1',
              'x-mte-client-id': rawHeaders[3],
            },
            body: Buffer.alloc(1300, at),
          });
        }),
      );
      responses.forEach(({ status }) => statuses.add(status));
    }

    expect([...statuses]).toEqual([566]);
    expect(operations()).toBe(0);
  });
});

describe('#35 a sequence number', () => {
  it.each(['4294967295', '1048576', '9999999', '0', '01', '-1', '1e3', '1.5', '', '2r2'])(
    'is refused, unsigned and without store access, even in a validly signed header ("%s")',
    async (sequence) => {
      const operations = spyOnStore();
      const header = `1.${client.session.sid}.${sequence}.0.mke.${SALT_22}`;

      const response = await deliverTo(quiet.url, client.signed(header, Buffer.alloc(0)));

      expect([response.status, headerOf(response, RELAY_HEADER)]).toEqual([566, '']);
      expect(operations()).toBe(0);
    },
  );

  it('ends the session above SESSION_MAX_MESSAGES, with a signed "never forwarded"', async () => {
    const own = await ProtocolClient.pair(tunnel.inbound.url);
    const past = own.seal({ sequence: own.session.maxMessages + 1 });

    const response = await own.deliver(past);
    const next = own.seal({ sequence: 1 });
    const responseToNext = await own.deliver(next);

    expect(own.signedErrorOf(past, response)).toMatchObject({
      status: 559,
      isNeverForwarded: true,
    });
    expect(own.signedErrorOf(next, responseToNext)).toMatchObject({ status: 560 });
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#37 an error of the inbound relay during a 128 MiB upload', () => {
  const upload = (): Readable =>
    Readable.from(
      (function* (): Generator<Buffer> {
        for (let at = 0; at < 2048; at += 1) {
          yield CHUNK;
        }
      })(),
      { objectMode: false },
    );

  it('reaches the sender 20 times out of 20', async () => {
    const responses: number[] = [];
    for (let run = 0; run < 20; run += 1) {
      const { rawHeaders } = client.signed(`1.${client.session.sid}.0.0.mke.${SALT_22}`, CHUNK);
      const response = await request(tunnel.inbound.url, {
        method: 'POST',
        path: TUNNEL_PATH,
        headers: { 'x-mte-relay': rawHeaders[1], 'x-mte-client-id': rawHeaders[3] },
        body: upload(),
      });
      responses.push(response.status);
    }

    expect(responses).toEqual(Array(20).fill(566));
  });

  it('reaches the client as RELAY_PEER_REFUSED_MESSAGE', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port, { records: false }));
    await tunnel.send({ headers: { 'x-mte-upstream': tap.url } });
    const sid = String(
      tunnel.outbound.log.items.findLast(({ peer, msg }) => peer === tap.url && msg === 'paired')?.[
        'exchange'
      ],
    );
    const store = tunnel.inbound.app.get<SessionStore>(SessionStore);
    vi.spyOn(store, 'open').mockResolvedValue(undefined);
    expect(sid).not.toBe('undefined');

    const response = await tunnel.send({
      method: 'POST',
      headers: { 'x-mte-upstream': tap.url },
      body: upload(),
    });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_PEER_REFUSED_MESSAGE',
      forwarded: 'maybe',
    });
  });
});

describe('#42 requests that the inbound relay would refuse', () => {
  it('get 400 each and do not end the session that others use', async () => {
    const paired = (): number =>
      tunnel.outbound.log.items.filter(({ msg }) => msg === 'paired').length;
    expect(await tunnel.send()).toMatchObject({ status: 200 });
    const before = paired();
    const bad = ['//evil', '/\\evil', '/a#b', 'evil', '//'];

    const statuses = { good: new Set<number>(), bad: new Set<number>() };
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const response = await tunnel.send({ path: bad[at % bad.length] ?? '' });
          statuses.bad.add(response.status);
        }),
      );
      statuses.good.add((await tunnel.send({ method: 'POST', body: 'good' })).status);
    }

    expect([...statuses.bad]).toEqual([400]);
    expect([...statuses.good]).toEqual([200]);
    expect(paired()).toBe(before);
    expect(await deliverTo(tunnel.inbound.url, client.seal())).toMatchObject({ status: 200 });
  });
});

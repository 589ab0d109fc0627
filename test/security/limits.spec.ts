import { Readable } from 'node:stream';

import { RELAY_HEADER, TUNNEL_PATH, type SecretKeys, deriveSecretKeys } from '@relay/protocol';
import { SessionStore } from '@relay/session';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { errorOf, request } from '../support/client.js';
import { deliverTo, headerOf } from '../support/middle.js';
import { ProtocolClient, pairingRequest } from '../support/protocol-client.js';
import { openSocket } from '../support/raw-socket.js';
import { SECRET, startRelay, type TestRelay } from '../support/relay.js';
import { forThisTest, sharedResources } from '../support/resources.js';
import { startTap } from '../support/tap.js';
import { startTunnel, type Tunnel } from '../support/tunnel.js';
import { echoBody } from '../support/upstream.js';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');
const SALT_22 = 'AAAAAAAAAAAAAAAAAAAAAA';

const shared = sharedResources();
let tunnel: Tunnel;
let client: ProtocolClient;
/** Nobody calls it but the test: what its store does, the test has caused. */
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

/** Pieces without end, and how many of their bytes were asked for. */
function endless(): { body: Readable; taken: () => number } {
  let taken = 0;
  const pieces = function* (): Generator<Buffer> {
    for (;;) {
      taken += PIECE.length;
      yield PIECE;
    }
  };
  return { body: Readable.from(pieces(), { objectMode: false }), taken: () => taken };
}

/** How often the quiet relay asked its store for anything. */
function spyOnStore(): () => number {
  const store = quiet.app.get<SessionStore>(SessionStore);
  const spies = (['reserve', 'put', 'open', 'mark', 'kill'] as const).map((operation) =>
    vi.spyOn(store, operation),
  );
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

describe('#33 what is too large', () => {
  it('in the header of a client is 431, in the shape of every error', async () => {
    const answer = await tunnel.send({ headers: { 'x-large': 'x'.repeat(100_000) } });

    expect(answer.status).toBe(431);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_REQUEST_TOO_LARGE', forwarded: 'no' });
  });

  it('for a head but not for the server is 400, and seals nothing', async () => {
    const answer = await tunnel.send({ headers: { 'x-large': 'x'.repeat(70_000) } });

    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_HEAD_INVALID', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it.each([0x7fff_ffff, 0xffff_ffff, 69_650, 16, 0])(
    'or too small as the length of a record (%i) is refused before any of it has come',
    async (length) => {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      const { rawHeaders } = client.seal();
      const socket = forThisTest(openSocket(tunnel.inbound.port));
      const fields = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      socket.write(
        `POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: a\r\n${fields.join('')}content-length: 4000000000\r\n\r\n`,
      );
      socket.write(header);

      const answer = await socket.until('\r\n\r\n');

      expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 562 /);
      expect(tunnel.upstream.hits).toBe(0);
    },
  );

  it('for an MTE message up is an inner 413, and ends an endless upload', async () => {
    const { body, taken } = endless();

    const answer = await tunnel.send({
      method: 'POST',
      headers: { 'x-mte-encode-type': 'MTE', connection: 'keep-alive' },
      body,
    });
    body.destroy();

    expect(answer.status).toBe(413);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_BODY_TOO_LARGE', forwarded: 'no' });
    expect(taken()).toBeLessThan(64 * MIB);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('for an MTE message down is a 502, and ends an endless answer', async () => {
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

    const answer = await tunnel.send({ headers: { 'x-mte-encode-type': 'MTE' } });

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ forwarded: 'maybe' });
    expect(await aborted).toBe(true);
    body.destroy();
    expect(taken()).toBeLessThan(64 * MIB);
  });

  it.each([
    ['1483 bytes', 'content-length: 1483\r\n'],
    ['a length that is none', 'content-length: 1e3\r\n'],
    ['no length', 'transfer-encoding: chunked\r\n'],
  ])('for a pairing request (%s) is refused before any of it has come', async (_what, framing) => {
    const operations = spyOnStore();
    const { request: pairing } = await pairingRequest(quiet.url, keys);
    const fields = pairing.rawHeaders.map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    const socket = forThisTest(openSocket(quiet.port));
    socket.write(`POST /api/mte-pair HTTP/1.1\r\nhost: a\r\n${fields.join('')}${framing}\r\n`);

    const answer = await socket.until('\r\n\r\n');

    expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 (566|400) /);
    expect(operations()).toBe(0);
  });
});

describe('#34 a flood of forged requests', () => {
  it('with random sessions never gets to the session store', async () => {
    const operations = spyOnStore();
    const statuses = new Set<number>();

    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, at) => {
          const { rawHeaders } = client.seal();
          const sid = Buffer.alloc(16, batch * 50 + at).toString('base64url');
          return request(quiet.url, {
            method: 'POST',
            path: at % 2 === 0 ? TUNNEL_PATH : '/api/mte-pair',
            headers: {
              'x-mte-relay': at % 2 === 0 ? `1.${sid}.1.mke.${SALT_22}` : '1',
              'x-mte-client-id': rawHeaders[3],
            },
            body: Buffer.alloc(1300, at),
          });
        }),
      );
      answers.forEach(({ status }) => statuses.add(status));
    }

    expect([...statuses]).toEqual([566]);
    expect(operations()).toBe(0);
  });
});

describe('#35 a sequence number', () => {
  it.each(['4294967295', '1048576', '9999999', '0', '01', '-1', '1e3', '1.5', ''])(
    'of "%s" is refused, unsigned, before the session store, though its signature is good',
    async (sequence) => {
      const operations = spyOnStore();
      const header = `1.${client.session.sid}.${sequence}.mke.${SALT_22}`;

      const answer = await deliverTo(quiet.url, client.signed(header, Buffer.alloc(0)));

      expect([answer.status, headerOf(answer, RELAY_HEADER)]).toEqual([566, '']);
      expect(operations()).toBe(0);
    },
  );

  it('above SESSION_MAX_MESSAGES ends the session, and is stated as never forwarded', async () => {
    const own = await ProtocolClient.pair(tunnel.inbound.url);
    const past = own.seal({ sequence: own.session.maxMessages + 1 });

    const answer = await own.deliver(past);
    const next = own.seal({ sequence: 1 });
    const answerToNext = await own.deliver(next);

    expect(own.signedErrorOf(past, answer)).toMatchObject({ status: 559, isNeverForwarded: true });
    expect(own.signedErrorOf(next, answerToNext)).toMatchObject({ status: 560 });
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#37 an error during a 128 MiB upload', () => {
  const upload = (): Readable =>
    Readable.from(
      (function* (): Generator<Buffer> {
        for (let at = 0; at < 2048; at += 1) {
          yield PIECE;
        }
      })(),
      { objectMode: false },
    );

  it('of the inbound relay arrives at whoever sends, 20 times of 20', async () => {
    const answers: number[] = [];
    for (let run = 0; run < 20; run += 1) {
      const { rawHeaders } = client.signed(`1.${client.session.sid}.0.mke.${SALT_22}`, PIECE);
      const answer = await request(tunnel.inbound.url, {
        method: 'POST',
        path: TUNNEL_PATH,
        headers: { 'x-mte-relay': rawHeaders[1], 'x-mte-client-id': rawHeaders[3] },
        body: upload(),
      });
      answers.push(answer.status);
    }

    expect(answers).toEqual(Array(20).fill(566));
  });

  it('of the inbound relay reaches the client as what it is', async () => {
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

    const answer = await tunnel.send({
      method: 'POST',
      headers: { 'x-mte-upstream': tap.url },
      body: upload(),
    });

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({
      code: 'RELAY_PEER_REFUSED_MESSAGE',
      forwarded: 'no',
    });
  });
});

describe('#42 clients that send what the other relay would refuse', () => {
  it('get 400 each, and cost nobody the session', async () => {
    const paired = (): number =>
      tunnel.outbound.log.items.filter(({ msg }) => msg === 'paired').length;
    expect(await tunnel.send()).toMatchObject({ status: 200 });
    const before = paired();
    const bad = ['//evil', '/\\evil', '/a#b', 'evil', '//'];

    const statuses = { good: new Set<number>(), bad: new Set<number>() };
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const answer = await tunnel.send({ path: bad[at % bad.length] ?? '' });
          statuses.bad.add(answer.status);
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

import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  errorOf,
  fieldValues,
  openRequest,
  request,
  type ClientRequestSpec,
  type ClientResponse,
} from '../support/client.js';
import {
  hasPython,
  runPythonSelfTest,
  startPythonInbound,
  startPythonOutbound,
  type PythonInbound,
  type PythonOutbound,
  type PythonResult,
} from '../support/python-relays.js';
import { SECRET, TOKEN, startRelay, type TestRelay } from '../support/relay.js';
import { forThisTest, sharedResources } from '../support/resources.js';
import { startUpstream, type Upstream } from '../support/upstream.js';

/** docs/protocol.md was implemented a second time from its text alone, in test/interop. */
const TYPES = ['mke', 'mte'] as const;
/** More than one record holds, in no round number. */
const BODY = randomBytes(70_001);
const FULL_RECORD_BYTES = 65536;

const pieces = (body: Buffer): string[] => {
  const starts = Array.from({ length: Math.ceil(body.length / FULL_RECORD_BYTES) }).keys();
  return [...starts].map((at) =>
    body.subarray(at * FULL_RECORD_BYTES, (at + 1) * FULL_RECORD_BYTES).toString('base64'),
  );
};

describe.skipIf(!hasPython())('another implementation of the protocol', () => {
  it('finds the known answers', () => {
    expect(runPythonSelfTest()).toContain('holds: every message sealed and opened');
  });

  describe('as the outbound relay before ours', () => {
    const MAX_MESSAGES = 40;
    const shared = sharedResources();
    let upstream: Upstream;
    let inbound: TestRelay;
    let outbound: PythonOutbound;

    beforeAll(async () => {
      upstream = shared(
        await startUpstream(async (received, response) => {
          const body = await received.body();
          response.writeHead(207, [
            ...['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-latin', 'caf\xe9', 'x-empty', ''],
            ...['content-length', String(body.length)],
          ]);
          response.end(body);
        }),
      );
      const env = { UPSTREAM: upstream.url, SESSION_MAX_MESSAGES: String(MAX_MESSAGES) };
      inbound = shared(await startRelay(env));
      outbound = shared(startPythonOutbound(inbound.url));
      await outbound.command({ do: 'pair' });
    });

    const send = (spec: Readonly<Record<string, unknown>>): Promise<PythonResult> =>
      outbound.command({ do: 'send', type: 'mke', method: 'POST', path: '/', ...spec });

    it('finds the relay, and pairs with it', async () => {
      const other = forThisTest(startPythonOutbound(inbound.url));

      expect(await other.command({ do: 'probe' })).toEqual({ status: 200, relay: '1' });
      expect(await other.command({ do: 'pair' })).toEqual({
        sid: expect.stringMatching(/^[\w-]{22}$/) as unknown,
        lifetimeSeconds: 3600,
        maxMessages: MAX_MESSAGES,
      });
    });

    it('pairs with a wrong clock once it was told the time', async () => {
      const other = forThisTest(startPythonOutbound(inbound.url));

      const result = await other.command({ do: 'pair', clockOffsetMs: 3_600_000 });

      expect(result['corrected']).toBeLessThanOrEqual(Date.now());
      expect(result.error).toBeUndefined();
    });

    it('is refused without a signature where its secret is another', async () => {
      const other = forThisTest(startPythonOutbound(inbound.url, `${SECRET}x`));

      expect(await other.command({ do: 'pair' })).toEqual({
        error: { status: 566, signed: false },
      });
    });

    describe.each(TYPES)('messages of type %s', (type) => {
      it('bring a GET there, and its answer back', async () => {
        upstream.forget();
        const fields = [
          ['accept', '*/*'],
          ['x-many', '1'],
          ['accept', 'text/html'],
          ['x-many', 'caf\xe9'],
        ];

        const { answer } = await send({ type, method: 'GET', path: '/a?b=%20c', fields });

        expect(answer).toMatchObject({ status: 207, body: '', pieces: 0 });
        expect(answer?.fields).toEqual(
          expect.arrayContaining([
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['x-latin', 'caf\xe9'],
            ['x-empty', ''],
          ]),
        );
        const received = upstream.requests.items[0];
        expect(received).toMatchObject({ method: 'GET', url: '/a?b=%20c' });
        expect(fieldValues(received?.rawHeaders ?? [], 'accept')).toEqual(['*/*', 'text/html']);
        expect(fieldValues(received?.rawHeaders ?? [], 'x-many')).toEqual(['1', 'caf\xe9']);
      });

      it.each([
        ['several records', { pieces: pieces(BODY) }, BODY],
        ['an empty last record', { pieces: ['YQ==', 'Yg=='], emptyLast: true }, Buffer.from('ab')],
        ['no body', {}, Buffer.alloc(0)],
        ['a body that is announced', { fields: [['content-length', '1']], pieces: ['YQ=='] }, 'a'],
      ])('bring %s there and back, octet by octet', async (_, spec, body) => {
        const { answer } = await send({ type, ...spec });

        expect(answer?.status).toBe(207);
        expect(Buffer.from(answer?.body ?? '', 'base64').equals(Buffer.from(body))).toBe(true);
      });

      it('are refused where record 0 was changed, and their number is burnt', async () => {
        upstream.forget();
        const fresh = forThisTest(startPythonOutbound(inbound.url));
        await fresh.command({ do: 'pair' });
        const message = { do: 'send', type, method: 'GET', path: '/', seq: 7 };

        const changed = await fresh.command({ ...message, flip: [0, 20] });
        const again = await fresh.command(message);

        expect(changed.error).toMatchObject({ status: 562, signed: true, p: 0 });
        expect(again.error).toMatchObject({ status: 565, signed: true, p: 1 });
        expect(upstream.hits).toBe(0);
      });
    });

    it.each([
      ['changed', { flip: [2, 20] }],
      ['missing', { withoutLast: true }],
    ])(
      'is told that the message may have been forwarded where a later record of MKE is %s',
      async (_, fault) => {
        const { error } = await send({ pieces: ['YQ==', 'Yg=='], ...fault });

        expect(error).toMatchObject({ status: 562, signed: true, p: 1 });
      },
    );

    it.each([
      ['changed', { flip: [2, 20] }],
      ['missing', { withoutLast: true }],
    ])('is told that nothing was forwarded where a later record of MTE is %s', async (_, fault) => {
      upstream.forget();

      const { error } = await send({ type: 'mte', pieces: ['YQ==', 'Yg=='], ...fault });

      expect(error).toMatchObject({ status: 562, signed: true, p: 0 });
      expect(upstream.hits).toBe(0);
    });

    it('pairs again once its session has ended', async () => {
      const ending = await send({ seq: MAX_MESSAGES + 1 });
      const ended = await send({ seq: 1 });
      await outbound.command({ do: 'pair' });
      const { answer } = await send({});

      expect(ending.error).toMatchObject({ status: 559, signed: true, p: 0 });
      expect(ended.error).toMatchObject({ status: 560, signed: true, p: 0 });
      expect(answer?.status).toBe(207);
    });
  });

  describe('as the inbound relay behind ours', () => {
    const shared = sharedResources();
    let inbound: PythonInbound;
    let outbound: TestRelay;

    beforeAll(async () => {
      inbound = shared(await startPythonInbound());
      outbound = shared(await startRelay());
    });

    const clientHeaders = (type: string) => ({
      'x-mte-outbound-token': TOKEN,
      'x-mte-upstream': inbound.url,
      'x-mte-encode-type': type,
    });

    const send = (type: string, spec: ClientRequestSpec): Promise<ClientResponse> =>
      request(outbound.url, { ...spec, headers: { ...clientHeaders(type), ...spec.headers } });

    it.each(TYPES)('gets a request as the client sent it (%s)', async (type) => {
      const answer = await send(type, {
        method: 'GET',
        path: `/seen?${type}`,
        headers: { 'x-many': ['1', 'caf\xe9'], host: 'api.example' },
      });

      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        method: 'GET',
        path: `/seen?${type}`,
        fields: [
          ['x-many', '1'],
          ['x-many', 'caf\xe9'],
        ],
        bytes: 0,
      });
      expect(inbound.events.items).toContainEqual(
        expect.objectContaining({ forwarded: `/seen?${type}`, type }),
      );
    });

    it.each(TYPES)('gives a body back, octet by octet (%s)', async (type) => {
      const answer = await send(type, { method: 'POST', path: '/', body: BODY });

      expect(answer.status).toBe(201);
      expect(answer.body.equals(BODY)).toBe(true);
      expect(fieldValues(answer.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
      expect(fieldValues(answer.rawHeaders, 'x-latin')).toEqual(['caf\xe9']);
    });

    it.each(TYPES)('answers without a body (%s)', async (type) => {
      expect(await send(type, { path: '/empty' })).toMatchObject({ status: 204 });
      const head = await send(type, { method: 'HEAD', path: '/seen' });
      expect(head.status).toBe(200);
      expect(head.body).toHaveLength(0);
    });

    it('has a message repeated once it says that the session is gone', async () => {
      const pairingsBefore = inbound.events.items.filter((event) => 'paired' in event).length;

      const answer = await send('mke', { method: 'POST', path: '/forgotten', body: 'once' });

      expect(answer.status).toBe(201);
      expect(answer.body.toString()).toBe('once');
      const pairings = inbound.events.items.filter((event) => 'paired' in event);
      expect(pairings).toHaveLength(pairingsBefore + 1);
      const forwarded = inbound.events.items.filter((event) => event['forwarded'] === '/forgotten');
      expect(forwarded).toHaveLength(1);
    });

    it.each([
      ['mke', '/flipped/0'],
      ['mte', '/flipped/0'],
      ['mte', '/flipped/1'],
      ['mte', '/cut'],
    ])('is not believed where record of an answer was changed (%s %s)', async (type, path) => {
      const answer = await send(type, { method: 'POST', path, body: 'once' });

      expect(answer.status).toBe(502);
      expect(errorOf(answer).forwarded).toBe('maybe');
    });

    it.each(['/flipped/2', '/cut'])(
      'breaks an MKE answer off at a bad record (%s)',
      async (path) => {
        const { message } = await openRequest(outbound.url, {
          method: 'POST',
          path,
          headers: clientHeaders('mke'),
          body: BODY,
        });
        expect(message.statusCode).toBe(201);
        await expect(buffer(message)).rejects.toThrow('aborted');
      },
    );

    it('is believed where a body has the length that its head announced', async () => {
      for (const type of TYPES) {
        expect((await send(type, { path: '/announced/5' })).body.toString()).toBe('12345');
      }
    });

    it.each(['/announced/4', '/announced/6', '/announced/0'])(
      'is not believed where a body has another length than its head announced (%s)',
      async (path) => {
        const whole = await send('mte', { path });
        expect(whole.status).toBe(502);
        expect(errorOf(whole).forwarded).toBe('maybe');
        await expect(send('mke', { path })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
      },
    );
  });
});

import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import { fieldValues } from '../../support/clients/client.js';
import {
  hasPython,
  runPythonSelfTest,
  startPythonOutbound,
  type PythonOutbound,
  type PythonResult,
} from '../../support/processes/python-relays.js';
import { SECRET, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

/** test/interop is a second implementation of docs/protocol.md, written from its text alone. */
const TYPES = ['mke', 'mte'] as const;
/** More than one record can carry, and not a multiple of the record size. */
const BODY = randomBytes(70_001);
const FULL_RECORD_BYTES = 65536;

const pieces = (body: Buffer): string[] => {
  const starts = Array.from({ length: Math.ceil(body.length / FULL_RECORD_BYTES) }).keys();
  return [...starts].map((at) =>
    body.subarray(at * FULL_RECORD_BYTES, (at + 1) * FULL_RECORD_BYTES).toString('base64'),
  );
};

describe.skipIf(!hasPython())('an independent outbound relay', () => {
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
    inbound = shared(await startRelay({ ...env, UPSTREAM_HOST: 'client' }));
    outbound = shared(startPythonOutbound(inbound.url));
    await outbound.command({ do: 'pair' });
  });

  const send = (spec: Readonly<Record<string, unknown>>): Promise<PythonResult> =>
    outbound.command({ do: 'send', type: 'mke', method: 'POST', path: '/', ...spec });

  it('reproduces the known test vectors', () => {
    expect(runPythonSelfTest()).toEqual(
      expect.arrayContaining([
        'passed: every message can be sealed and opened',
        'passed: every case has the known verdict',
        'passed: every record of a channel can be sealed and opened',
        'passed: what must break a channel breaks it and what must end a stream ends it',
      ]),
    );
  });

  it('detects the inbound relay and pairs with it', async () => {
    const other = forThisTest(startPythonOutbound(inbound.url));

    expect(await other.command({ do: 'probe' })).toEqual({ status: 200, relay: '1' });
    expect(await other.command({ do: 'pair' })).toEqual({
      sid: expect.stringMatching(/^[\w-]{22}$/) as unknown,
      lifetimeSeconds: 3600,
      maxMessages: MAX_MESSAGES,
    });
  });

  it('pairs despite a wrong clock once it has received the correct time', async () => {
    const other = forThisTest(startPythonOutbound(inbound.url));

    const result = await other.command({ do: 'pair', clockOffsetMs: 3_600_000 });

    expect(result['corrected']).toBeLessThanOrEqual(Date.now());
    expect(result.error).toBeUndefined();
  });

  it('is refused without a signature if it has a different secret', async () => {
    const other = forThisTest(startPythonOutbound(inbound.url, `${SECRET}x`));

    expect(await other.command({ do: 'pair' })).toEqual({
      error: { status: 566, signed: false },
    });
  });

  describe.each(TYPES)('messages of type %s', (type) => {
    it('carry a GET and its response', async () => {
      upstream.forget();
      const fields = [
        ['accept', '*/*'],
        ['x-many', '1'],
        ['accept', 'text/html'],
        ['x-many', 'caf\xe9'],
      ];

      const authority = 'Api.example:8443';
      const target = { method: 'GET', authority, path: '/a?b=%20c' };
      const { answer: response } = await send({ type, ...target, fields });

      expect(response).toMatchObject({ status: 207, body: '', pieces: 0 });
      expect(response?.fields).toEqual(
        expect.arrayContaining([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-latin', 'caf\xe9'],
          ['x-empty', ''],
        ]),
      );
      const received = upstream.requests.items[0];
      expect(received).toMatchObject({ method: 'GET', url: '/a?b=%20c' });
      expect(fieldValues(received?.rawHeaders ?? [], 'host')).toEqual([authority]);
      expect(fieldValues(received?.rawHeaders ?? [], 'accept')).toEqual(['*/*', 'text/html']);
      expect(fieldValues(received?.rawHeaders ?? [], 'x-many')).toEqual(['1', 'caf\xe9']);
    });

    it.each([
      ['several records', { pieces: pieces(BODY) }, BODY],
      ['an empty last record', { pieces: ['YQ==', 'Yg=='], emptyLast: true }, Buffer.from('ab')],
      ['no body', {}, Buffer.alloc(0)],
      [
        'a body with a content-length',
        { fields: [['content-length', '1']], pieces: ['YQ=='] },
        'a',
      ],
    ])('carry %s unchanged in both directions', async (_, spec, body) => {
      const { answer: response } = await send({ type, ...spec });

      expect(response?.status).toBe(207);
      expect(Buffer.from(response?.body ?? '', 'base64').equals(Buffer.from(body))).toBe(true);
    });

    it('are refused if record 0 was changed, and their sequence number is consumed', async () => {
      upstream.forget();
      const message = { type, method: 'GET', seq: MAX_MESSAGES - TYPES.indexOf(type) };

      const changed = await send({ ...message, flip: [0, 20] });
      const again = await send(message);

      expect(changed.error).toMatchObject({ status: 562, signed: true, p: 0 });
      expect(again.error).toMatchObject({ status: 565, signed: true, p: 1 });
      expect(upstream.hits).toBe(0);
    });
  });

  it.each([
    ['mke', 'changed', { flip: [2, 20] }, 1],
    ['mke', 'missing', { withoutLast: true }, 1],
    ['mte', 'changed', { flip: [2, 20] }, 0],
    ['mte', 'missing', { withoutLast: true }, 0],
  ])(
    'receives a signed error if a later record of a message of type %s is %s',
    async (type, how, fault, p) => {
      const path = `/${type}-${how}`;

      const { error } = await send({ type, path, pieces: ['YQ==', 'Yg=='], ...fault });

      expect(error).toMatchObject({ status: 562, signed: true, p });
      if (type === 'mte') {
        expect(upstream.requests.items.map(({ url }) => url)).not.toContain(path);
      }
    },
  );

  it.each(TYPES)(
    'receives a signed error if a body does not have the length in its head (%s)',
    async (type) => {
      for (const announced of ['0', '1', '3']) {
        const path = `/${type}-states-${announced}`;
        const fields = [['content-length', announced]];

        const { error } = await send({ type, path, fields, pieces: ['YQ==', 'Yg=='] });

        expect(error).toMatchObject({ status: 562, signed: true });
        const received = upstream.requests.items.some(({ url }) => url === path);
        expect(received && error?.p === 0).toBe(false);
      }
    },
  );

  it('pairs again once its session has ended', async () => {
    const ending = await send({ seq: MAX_MESSAGES + 1 });
    const ended = await send({ seq: 1 });
    await outbound.command({ do: 'pair' });
    const { answer: response } = await send({});

    expect(ending.error).toMatchObject({ status: 559, signed: true, p: 0 });
    expect(ended.error).toMatchObject({ status: 560, signed: true, p: 1 });
    expect(response?.status).toBe(207);
  });
});

import { randomBytes } from 'node:crypto';

import { Clock } from '@relay/clock';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  deliverTo,
  headerOf,
  startManInTheMiddle,
  type ManInTheMiddle,
  type WireRequest,
} from '../../support/attackers/man-in-the-middle.js';
import {
  hasPython,
  startPythonOutbound,
  type PythonOutbound,
  type PythonResult,
} from '../../support/processes/python-relays.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

/** test/interop is a second implementation of docs/protocol.md, written from its text alone. */
const TYPES = ['mke', 'mte'] as const;

describe.skipIf(!hasPython())('what an independent outbound relay is told', () => {
  const shared = sharedResources();
  let upstream: Upstream;
  let inbound: TestRelay;

  beforeAll(async () => {
    upstream = shared(
      await startUpstream(async (received, response) => {
        await received.body();
        response.writeHead(207);
        response.end();
      }),
    );
    inbound = shared(await startRelay({ UPSTREAM: upstream.url }));
  });

  const executionsOf = (path: string): number =>
    upstream.requests.items.filter(({ url }) => url === path).length;

  it('checks its session, whatever is in the body of the check', async () => {
    const session = forThisTest(startPythonOutbound(inbound.url));
    await session.command({ do: 'pair' });
    const hitsBefore = upstream.hits;

    const empty = await session.command({ do: 'check' });
    const withBody = await session.command({
      ...{ do: 'send', type: 'check', method: 'POST', path: '/check', pieces: ['YQ=='] },
    });
    const again = await session.command({ do: 'check', seq: 1 });

    const known = { status: 204, fields: [], body: '', pieces: 0 };
    expect(empty.answer).toEqual(known);
    expect(withBody.answer).toEqual(known);
    expect(again.error).toMatchObject({ status: 565, signed: true, p: 1 });
    expect(upstream.hits).toBe(hitsBefore);
  });

  describe('with a session of its own', () => {
    let session: PythonOutbound;
    let path: string;

    beforeEach(async () => {
      session = forThisTest(startPythonOutbound(inbound.url));
      await session.command({ do: 'pair' });
      path = `/${randomBytes(8).toString('hex')}`;
    });

    const post = (spec: Readonly<Record<string, unknown>>): Promise<PythonResult> =>
      session.command({ do: 'send', type: 'mke', method: 'POST', path, pieces: ['YQ=='], ...spec });

    it.each(TYPES)('replaces a message that never arrived (%s)', async (type) => {
      const second = await post({ type, seq: 2, replaces: 1 });
      const first = await post({ type, seq: 1 });

      expect(second.answer?.status).toBe(207);
      expect(first.error).toMatchObject({ status: 565, signed: true, p: 1 });
      expect(executionsOf(path)).toBe(1);
    });

    it.each(TYPES)('cannot replace a message that ran (%s)', async (type) => {
      const first = await post({ type, seq: 1 });
      const second = await post({ type, seq: 2, replaces: 1 });
      const third = await post({ type, seq: 2 });

      expect(first.answer?.status).toBe(207);
      expect(second.error).toMatchObject({ status: 565, signed: true, p: 1 });
      expect(third.error).toMatchObject({ status: 565, signed: true, p: 1 });
      expect(executionsOf(path)).toBe(1);
    });

    it.each([
      ['a message', {}],
      ['a message that replaces another', { replaces: 1 }],
      ['a check', { type: 'check' }],
    ])('has %s refused that is older than its session can be', async (_, spec) => {
      // The inbound relay takes the session for seconds old, and allows for 300 s.
      const first = await post({ ...spec, seq: 7, age: 400 });
      const again = await post({ ...spec, seq: 7, age: 400 });

      expect(first.error).toMatchObject({ status: 562, signed: true, p: 0 });
      expect(again.error).toMatchObject({ status: 565, signed: true, p: 1 });
      expect(executionsOf(path)).toBe(0);
    });

    it.each([
      ['no type of section 2', { type: 'foo' }],
      ['a number that replaces itself', { seq: 1, replaces: 1 }],
      ['an age of six digits', { age: 100_000 }],
      ['a check that replaces a message', { type: 'check', seq: 2, replaces: 1 }],
      ['a number over the limit of the format', { seq: 2 ** 20 }],
    ])('is refused without a signature for %s', async (_, spec) => {
      expect((await post(spec)).error).toEqual({ status: 566, signed: false });
    });
  });

  it('has a message refused that arrives more than 30 s late, and not one of 30 s', async () => {
    const clock = new HandMovedClock(Date.now());
    const slow = forThisTest(
      await startRelay({ UPSTREAM: upstream.url }, (builder) =>
        builder.overrideProvider(Clock).useValue(clock),
      ),
    );
    const session = forThisTest(startPythonOutbound(slow.url));
    await session.command({ do: 'pair' });
    const message = { do: 'send', type: 'mke', method: 'POST', path: '/held', age: 12 };

    clock.advance(42_000);
    const inTime = await session.command({ ...message, seq: 1 });
    clock.advance(1000);
    const late = await session.command({ ...message, seq: 2 });
    const again = await session.command({ ...message, seq: 2, age: 43 });

    expect(inTime.answer?.status).toBe(207);
    expect(late.error).toMatchObject({ status: 562, signed: true, p: 0 });
    expect(again.error).toMatchObject({ status: 565, signed: true, p: 1 });
    expect(executionsOf('/held')).toBe(1);
  });

  it('is refused without a signature by a relay that has the same name and secret', async () => {
    const itself = forThisTest(await startRelay({ UPSTREAM: upstream.url, CLIENT_ID: 'interop' }));
    const other = forThisTest(startPythonOutbound(itself.url));

    expect(await other.command({ do: 'pair' })).toEqual({ error: { status: 566, signed: false } });
  });

  it('is refused without a signature by a relay with another audience', async () => {
    const elsewhere = forThisTest(
      await startRelay({ UPSTREAM: upstream.url, RELAY_AUDIENCE: 'https://b.example' }),
    );
    const other = forThisTest(startPythonOutbound(elsewhere.url));

    expect(await other.command({ do: 'pair' })).toEqual({ error: { status: 566, signed: false } });
  });

  describe('behind an attacker on the path', () => {
    let attacker: ManInTheMiddle;
    let attacked: PythonOutbound;

    beforeEach(async () => {
      attacker = forThisTest(await startManInTheMiddle(inbound.url));
      attacked = forThisTest(startPythonOutbound(attacker.url));
      await attacked.command({ do: 'pair' });
    });

    const ask = (method: string, path: string): Promise<PythonResult> =>
      attacked.command({ do: 'request', type: 'mke', method, path, pieces: ['YQ=='] });

    it('has a POST executed once that was held back and delivered after its replacement', async () => {
      let held: WireRequest | undefined;
      attacker.interceptTunnel((message, deliver) => {
        if (held !== undefined) {
          return deliver(message);
        }
        held = message;
        return undefined;
      });

      const result = await ask('POST', '/held-back');
      const late = await attacker.deliver(held!);

      expect(result).toMatchObject({ answer: { status: 207 }, attempts: ['broken', '207'] });
      expect(late.status).toBe(565);
      expect(executionsOf('/held-back')).toBe(1);
    });

    it('says maybe of a POST that ran although its connection broke', async () => {
      let isFirst = true;
      attacker.interceptTunnel(async (message, deliver) => {
        const response = await deliver(message);
        const isToBreak = isFirst;
        isFirst = false;
        return isToBreak ? undefined : response;
      });

      const result = await ask('POST', '/ran');

      expect(result).toMatchObject({ forwarded: 'maybe', attempts: ['broken', '565 p=1'] });
      expect(executionsOf('/ran')).toBe(1);
    });

    it.each([
      ['562', {}],
      ['559', { SESSION_MAX_MESSAGES: '1' }],
    ])(
      'says maybe of a POST that ran before its pairing was replayed to an empty store: %s',
      async (status, environment) => {
        const path = `/ran-before-${status}`;
        const restarted = forThisTest(await startRelay({ UPSTREAM: upstream.url, ...environment }));
        const pairing = attacker.requests.items[0]!;
        const statuses: number[] = [];
        attacker.interceptTunnel(async (message, deliver) => {
          if (statuses.length === 0) {
            statuses.push((await deliver(message)).status);
            expect((await deliverTo(restarted.url, pairing)).status).toBe(200);
            return undefined;
          }
          const response = await deliverTo(restarted.url, message);
          statuses.push(response.status);
          return response;
        });

        const result = await ask('POST', path);

        expect(statuses).toEqual([200, Number(status)]);
        expect(result).toMatchObject({ forwarded: 'maybe', attempts: ['broken', 'other'] });
        expect(executionsOf(path)).toBe(1);
      },
    );

    it('checks the session before the next POST after a connection broke', async () => {
      attacker.interceptTunnel(() => undefined);
      expect(await ask('POST', '/never')).toMatchObject({
        forwarded: 'maybe',
        attempts: ['broken', 'broken'],
      });
      attacker.interceptTunnel(undefined);
      const before = attacker.requests.items.length;

      expect(await ask('POST', '/next')).toMatchObject({ answer: { status: 207 } });

      const types = attacker.requests.items
        .slice(before)
        .map((message) => headerOf(message, 'x-mte-relay').split('.')[4]);
      expect(types).toEqual(['check', 'mke']);
    });
  });
});

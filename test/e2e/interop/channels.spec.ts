import { randomBytes } from 'node:crypto';

import { Deferred } from '@relay/http';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  hasPython,
  startPythonOutbound,
  type PythonOutbound,
  type PythonResult,
} from '../../support/processes/python-relays.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { echoBody, startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

/** More than any window that a relay announces at first, and not a multiple of a frame. */
const LARGE = randomBytes(300_001);
const SMALL_WINDOW = 65_536;
/** A PING whose octets are 0 to 7, as a frame. */
const PING = Buffer.from('0000080600000000000001020304050607', 'hex');

interface PythonRequest {
  readonly method: string;
  readonly path: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly pieces?: readonly string[];
}

const post = (path: string, body: Buffer): PythonRequest => ({
  method: 'POST',
  path,
  pieces: [body.toString('base64')],
});

const bodyOf = ({ answer }: PythonResult): Buffer => Buffer.from(answer?.body ?? '', 'base64');

describe.skipIf(!hasPython())('channels of an independent outbound relay', () => {
  const shared = sharedResources();
  let upstream: Upstream;
  let inbound: TestRelay;
  let outbound: PythonOutbound;

  beforeAll(async () => {
    upstream = shared(await startUpstream());
    inbound = shared(await startRelay({ UPSTREAM: upstream.url, TUNNEL_TRANSPORT: 'channel' }));
    outbound = shared(startPythonOutbound(inbound.url));
    await outbound.command({ do: 'pair' });
  });

  const together = async (requests: readonly PythonRequest[]): Promise<PythonResult[]> => {
    const { results } = await outbound.command({ do: 'together', requests });
    return results as PythonResult[];
  };

  const brokenBy = async (content: Buffer, flip = false): Promise<PythonResult> => {
    await outbound.command({ do: 'open' });
    return outbound.command({ do: 'break', content: content.toString('base64'), flip });
  };

  it.each(['random', 'zero'])(
    'carry several requests at once, whose responses overtake each other (%s masks)',
    async (masks) => {
      const released = new Deferred<undefined>();
      upstream.handle(async (request, response) => {
        if (request.url === '/held') {
          await released.promise;
        } else if (request.url === '/last') {
          released.resolve(undefined);
        }
        await echoBody(request, response);
      });

      const opened = await outbound.command({ do: 'open', masks, window: SMALL_WINDOW });
      const [held, small, head, get, last] = await together([
        post('/held', LARGE),
        post('/small', Buffer.from('abc')),
        { method: 'HEAD', path: '/head' },
        { method: 'GET', path: '/get' },
        post('/last', LARGE.subarray(1)),
      ]);
      const ended = await outbound.command({ do: 'end' });

      expect(opened).toMatchObject({ opened: true, maxStreams: 256, window: 262_144 });
      expect(held && bodyOf(held).equals(LARGE)).toBe(true);
      expect(last && bodyOf(last).equals(LARGE.subarray(1))).toBe(true);
      expect(small && bodyOf(small).toString()).toBe('abc');
      expect(head?.answer).toMatchObject({ status: 200, body: '' });
      expect(get?.answer).toMatchObject({ status: 200, body: '' });
      expect(ended).toMatchObject({ closed: 1001, orderly: true });
    },
  );

  it('carry more requests than the peer may have open at once', async () => {
    upstream.handle(echoBody);
    await outbound.command({ do: 'open' });
    const paths = Array.from({ length: 300 }, (_, i) => `/${i}`);

    const results = await together(paths.map((path) => post(path, Buffer.from(path))));

    expect(results.map((result) => bodyOf(result).toString())).toEqual(paths);
  });

  it('carry records whose WebSocket messages come in fragments', async () => {
    upstream.handle(echoBody);
    await outbound.command({ do: 'open', fragment: 4_096 });

    const [large] = await together([post('/fragments', LARGE)]);

    expect(large && bodyOf(large).equals(LARGE)).toBe(true);
  });

  it('carry heads and responses without a body unchanged', async () => {
    upstream.handle((_, response) => {
      response.writeHead(204, ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-latin', 'caf\xe9']);
      response.end();
    });
    await outbound.command({ do: 'open' });
    const fields = [['x-many', '1'] as const, ['x-many', 'caf\xe9'] as const];

    const [empty] = await together([{ method: 'DELETE', path: '/a?b=%20c', fields }]);

    expect(empty?.answer).toMatchObject({ status: 204, body: '' });
    expect(empty?.answer?.fields).toEqual(
      expect.arrayContaining([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-latin', 'caf\xe9'],
      ]),
    );
    const received = await upstream.requests.find(({ url }) => url === '/a?b=%20c');
    expect(received.rawHeaders.join()).toContain('x-many,1,x-many,caf\xe9');
  });

  it('are not opened a second time by the same opening', async () => {
    await outbound.command({ do: 'open' });

    const { error } = await outbound.command({ do: 'reopen' });

    expect(error).toMatchObject({ status: 565, signed: true, p: 1 });
  });

  it.each([
    ['a used number', { seq: 1 }, { status: 565, p: 1 }],
    ['an age that says that it was held back', { age: 99_999 }, { status: 562, p: 0 }],
  ])('are opened under a new number after an opening with %s', async (_, fault, first) => {
    const result = await outbound.command({ do: 'open', ...fault });

    expect(result).toMatchObject({ opened: true, first: { ...first, signed: true } });
  });

  it.each([
    ['changed record', PING, true],
    ['cut frame', PING.subarray(1), false],
    ['second PING before the first was answered', Buffer.concat([PING, PING]), false],
    ['record without a frame', Buffer.alloc(0), false],
  ])('are broken by a %s', async (_, content, flip) => {
    const broken = inbound.log.items.filter(({ msg }) => msg === 'channel broke').length;

    expect(await brokenBy(content, flip)).toEqual({ closed: 1002, byPeer: true, orderly: false });
    expect(inbound.log.items.filter(({ msg }) => msg === 'channel broke').length).toBe(broken + 1);
  });

  it('reset a request whose body does not have the length in its head, which is never complete at the API', async () => {
    upstream.handle(echoBody);
    await outbound.command({ do: 'open' });
    const stated = (length: number): PythonRequest => ({
      ...post(`/states-${length}`, Buffer.from('ab')),
      fields: [['content-length', `${length}`]],
    });

    const results = await together([stated(1), stated(3), stated(2)]);

    expect(results.slice(0, 2).map(({ answer }) => answer)).toEqual([undefined, undefined]);
    expect(results[2] && bodyOf(results[2]).toString()).toBe('ab');
    for (const { reset, forwarded } of results.slice(0, 2)) {
      expect(forwarded).toBe(reset === 1 ? 'no' : 'maybe');
    }
  });

  it('are refused by a relay that has only messages, and its proof can be verified', async () => {
    const other = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'message' }));
    const refused = forThisTest(startPythonOutbound(other.url));
    await refused.command({ do: 'pair' });

    expect(await refused.command({ do: 'open' })).toMatchObject({
      error: { status: 564, signed: true, p: 0 },
      againAfterSeconds: 1,
    });
  });
});

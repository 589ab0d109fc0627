import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  hasPython,
  startPythonOutbound,
  type PythonOutbound,
  type PythonResult,
} from '../../support/processes/python-relays.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { AFTER, startUpgradeApi, type UpgradeApi } from '../../support/upstreams/upgrade-api.js';

/** More than any window that a relay announces at first, and not a multiple of a frame. */
const LARGE = randomBytes(300_001);
const PROTOCOL_ERROR = 1;
const INTERNAL_ERROR = 2;

type Fields = readonly (readonly [name: string, value: string])[];
const WEB_SOCKET: Fields = [['upgrade', 'websocket']];

describe.skipIf(!hasPython())('an upgraded connection of an independent outbound relay', () => {
  const shared = sharedResources();
  let api: UpgradeApi;
  let inbound: TestRelay;
  let outbound: PythonOutbound;

  beforeAll(async () => {
    api = shared(await startUpgradeApi());
    inbound = shared(
      await startRelay({
        UPSTREAM: api.url,
        TUNNEL_TRANSPORT: 'auto',
        UPGRADE_PROTOCOLS: 'websocket,tcp',
      }),
    );
    outbound = shared(startPythonOutbound(inbound.url));
    await outbound.command({ do: 'pair' });
  });

  const ask = (path: string, fields = WEB_SOCKET, more = {}): Promise<PythonResult> =>
    outbound.command({ do: 'upgrade', method: 'GET', path, fields, ...more });

  const push = (octets: Buffer | string, ends = false): Promise<PythonResult> =>
    outbound.command({
      do: 'push',
      pieces: [Buffer.from(octets).toString('base64')],
      ends,
    });

  const pull = async (count: number): Promise<{ octets: Buffer; ended: boolean }> => {
    const { octets, ended } = await outbound.command({ do: 'pull', octets: count });
    return { octets: Buffer.from(String(octets), 'base64'), ended: ended === true };
  };

  /** In steps below a window, since only what was pulled is granted again. */
  const pullAll = async (count: number): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0;) {
      const { octets } = await pull(Math.min(left, 65_536));
      pieces.push(octets);
      left -= octets.length;
    }
    return Buffer.concat(pieces);
  };

  const orderlyEnd = { closed: 1001, orderly: true };

  it.each([
    ['a GET for a WebSocket', 'GET', WEB_SOCKET],
    ['a POST for a protocol of another case', 'POST', [['upgrade', 'TCP']] as Fields],
  ])('carries octets both ways after %s', async (_, method, fields) => {
    const { switched } = await ask('/echo', [['x-many', '1'], ['x-many', 'caf\xe9'], ...fields], {
      method,
    });
    await push('hello');
    const hello = await pull(5);
    await push(LARGE);
    const echoed = await pullAll(LARGE.length);
    await push('', true);
    const end = await pull(1);

    expect(switched).toMatchObject({ status: 101 });
    const { fields: received } = switched as { fields: Fields };
    expect(received).toContainEqual(['x-api', 'yes']);
    expect(received.filter(([name]) => name === 'upgrade')).toHaveLength(1);
    expect(received.map(([name]) => name)).not.toContain('connection');
    expect(hello.octets.toString()).toBe('hello');
    expect(echoed.equals(LARGE)).toBe(true);
    expect(end).toEqual({ octets: Buffer.alloc(0), ended: true });
    expect(await outbound.command({ do: 'end' })).toMatchObject(orderlyEnd);
    const asked = api.requests.items.at(-1)!;
    expect(asked).toMatchObject({ method, url: '/echo' });
    expect(asked.rawHeaders.join()).toContain('x-many,1,x-many,caf\xe9');
    expect(asked.headers.connection?.toLowerCase()).toBe('upgrade');
  });

  describe('of a request with a body', () => {
    const post = (stated: string, more = {}): Promise<PythonResult> =>
      ask('/echo', [['content-length', stated], ...WEB_SOCKET], {
        method: 'POST',
        pieces: [Buffer.from('abc').toString('base64')],
        ...more,
      });

    it('carries the body before all other octets', async () => {
      const { switched } = await post('3');
      await push('d');

      expect(switched).toMatchObject({ status: 101 });
      expect((await pull(4)).octets.toString()).toBe('abcd');
      expect(api.requests.items.at(-1)!.headers['content-length']).toBe('3');
    });

    it('is never asked for if more comes than the head states', async () => {
      const asked = api.requests.items.length;

      expect(await post('2')).toEqual({ reset: PROTOCOL_ERROR, forwarded: 'no' });
      expect(api.requests.items).toHaveLength(asked);
    });

    it('is reset if less comes than the head states', async () => {
      await post('4', { waits: false });
      await push('', true);

      // It depends on the records whether the API was asked.
      expect([
        { reset: PROTOCOL_ERROR, forwarded: 'no' },
        { reset: INTERNAL_ERROR, forwarded: 'maybe' },
      ]).toContainEqual(await outbound.command({ do: 'outcome' }));
    });
  });

  it('goes on in one direction when the other has ended', async () => {
    await ask('/after');
    await push(LARGE, true);

    const { octets, ended } = await pull(LARGE.length);

    expect([octets.toString(), ended]).toEqual([`${AFTER}${LARGE.length}`, true]);
    expect(await outbound.command({ do: 'end' })).toMatchObject(orderlyEnd);
  });

  it('carries what the API says in the packet of its 101', async () => {
    await ask('/greet');

    expect((await pull(5)).octets.toString()).toBe('hello');
  });

  it('is an ordinary response if the API does not switch', async () => {
    const { answer } = await ask('/forbidden');

    expect(answer).toMatchObject({ status: 403, body: Buffer.from('no').toString('base64') });
    expect(answer?.fields).toContainEqual(['x-why', 'a reason']);
    expect(await outbound.command({ do: 'end' })).toMatchObject(orderlyEnd);
  });

  it.each(['/other', '/none'])(
    'is an inner 502 if the API switches to another protocol (%s)',
    async (path) => {
      expect((await ask(path)).answer).toMatchObject({ status: 502 });
    },
  );

  it('is an inner 501 for a protocol that only the outbound relay lists', async () => {
    const asked = api.requests.items.length;

    expect((await ask('/echo', [['upgrade', 'irc']])).answer).toMatchObject({ status: 501 });
    expect(api.requests.items).toHaveLength(asked);
  });

  it('is reset when the API resets its connection', async () => {
    await ask('/reset');
    await push('a');

    expect(await outbound.command({ do: 'pull', octets: 1 })).toMatchObject({
      result: { reset: INTERNAL_ERROR },
    });
    expect(await outbound.command({ do: 'end' })).toMatchObject(orderlyEnd);
  });

  it.each([
    ['client is gone', { do: 'reset' }],
    ['channel breaks', { do: 'break', content: 'AAAA' }],
  ])('is reset at the API when the %s', async (_, command) => {
    await ask('/echo');
    await push('a');
    await pull(1);
    const before = api.ends.items.length;

    await outbound.command(command);

    expect((await api.ends.count(before + 1)).at(-1)).toEqual({ path: '/echo', wasReset: true });
  });

  it.each<[string, Fields]>([
    ['no upgrade', [['a', 'b']]],
    ['two upgrade fields', [...WEB_SOCKET, ...WEB_SOCKET]],
    ['a list of protocols', [['upgrade', 'websocket, tcp']]],
    ['a long body', [...WEB_SOCKET, ['content-length', '32769']]],
    ['a hop-by-hop field', [...WEB_SOCKET, ['connection', 'upgrade']]],
  ])('is never asked for by a head with %s', async (_, fields) => {
    const asked = api.requests.items.length;

    const result = await ask('/echo', fields, { unchecked: true });

    expect(result).toEqual({ reset: PROTOCOL_ERROR, forwarded: 'no' });
    expect(api.requests.items).toHaveLength(asked);
  });

  it.each([
    ['octets come', 'early', false],
    ['its end comes', '', true],
  ])('is reset, and so is what was asked, if %s before the 101', async (_, octets, ends) => {
    const asked = api.requests.items.length;
    const ended = api.ends.items.length;
    await ask('/silent', WEB_SOCKET, { waits: false });
    await api.requests.count(asked + 1);
    await push(octets, ends);

    const result = await outbound.command({ do: 'outcome' });

    expect(result).toEqual({ reset: INTERNAL_ERROR, forwarded: 'maybe' });
    await api.ends.count(ended + 1);
  });

  it.each([
    ['a used number', { seq: 1 }],
    ['an age that says that it was held back', { age: 99_999 }],
  ])('is opened under a new number after an opening with %s', async (_, fault) => {
    expect(await ask('/echo', WEB_SOCKET, fault)).toHaveProperty('switched');
  });

  it.each<[string, Record<string, string>]>([
    ['has only messages', { TUNNEL_TRANSPORT: 'message' }],
    ['takes none', { TUNNEL_TRANSPORT: 'auto', MAX_UPGRADED_CONNECTIONS: '0' }],
  ])('is refused by a relay that %s, with a proof that can be verified', async (_, environment) => {
    const other = forThisTest(await startRelay({ UPSTREAM: api.url, ...environment }));
    const refused = forThisTest(startPythonOutbound(other.url));
    await refused.command({ do: 'pair' });

    const command = { do: 'upgrade', method: 'GET', path: '/echo', fields: WEB_SOCKET };

    expect(await refused.command(command)).toEqual({
      error: expect.objectContaining({ status: 564, signed: true, p: 0 }) as unknown,
      forwarded: 'no',
    });
  });
});

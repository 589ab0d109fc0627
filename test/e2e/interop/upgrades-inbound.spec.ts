import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { beforeAll, describe, expect, it } from 'vitest';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import {
  RawMessageReader,
  headBytes,
  statusOf,
  valueOf,
  type Field,
} from '../../support/network/raw-http.js';
import {
  hasPython,
  startPythonInbound,
  type PythonInbound,
} from '../../support/processes/python-relays.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { AFTER, startUpgradeApi, type UpgradeApi } from '../../support/upstreams/upgrade-api.js';

/** More than the window that inbound.py announces, and not a multiple of a frame. */
const LARGE = randomBytes(200_003);
const HEAD_END = '\r\n\r\n';

/** A client that asks for an upgrade, byte by byte. */
class Client {
  readonly socket: Socket;
  private readonly chunks = new Recorder<Buffer>();

  /** @param body - of a POST; without it, the request is a GET */
  constructor(
    outbound: TestRelay,
    peer: string,
    path: string,
    protocol = 'websocket',
    body?: string,
  ) {
    const { port } = new URL(outbound.url);
    this.socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.chunks.add(chunk);
    });
    this.socket.write(
      headBytes(`${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`, [
        ['host', 'Api.example:8443'],
        ['connection', 'upgrade'],
        ['upgrade', protocol],
        ['x-mte-outbound-token', TOKEN],
        ['x-mte-upstream', peer],
        ['x-many', '1'],
        ['x-many', 'caf\xe9'],
        ...(body === undefined ? [] : [['content-length', `${body.length}`] as const]),
      ]),
    );
    this.socket.write(body ?? '');
  }

  private get received(): Buffer {
    return Buffer.concat(this.chunks.items);
  }

  private get headEnd(): number {
    return this.received.indexOf(HEAD_END) + HEAD_END.length;
  }

  /** What came behind the head. */
  get octets(): Buffer {
    return this.received.subarray(this.headEnd);
  }

  async untilHead(): Promise<{ status: number; fields: readonly Field[] }> {
    await this.chunks.find(() => this.received.includes(HEAD_END));
    // A 101 has no body, whatever its reader thinks of it.
    const [line = '', ...lines] = this.received.toString('latin1', 0, this.headEnd).split('\r\n');
    const fields = lines.filter(Boolean).map((each): Field => {
      const colon = each.indexOf(':');
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
    });
    return { status: statusOf({ startLine: line, fields: [] }), fields };
  }

  async untilOctets(count: number): Promise<Buffer> {
    await this.untilHead();
    await this.chunks.find(() => this.octets.length >= count);
    return this.octets;
  }

  /** The ordinary response that came instead of a 101. */
  async response(): Promise<{ status: number; fields: readonly Field[]; body: string }> {
    const reader = new RawMessageReader({ kind: 'response', method: 'GET' });
    let pushed = 0;
    await this.chunks.find(() => {
      for (; pushed < this.chunks.items.length; pushed += 1) {
        reader.push(this.chunks.items[pushed]!);
      }
      return reader.isComplete;
    });
    const { fields } = reader.head!;
    return { status: statusOf(reader.head!), fields, body: reader.body.toString() };
  }

  close(): Promise<void> {
    this.socket.destroy();
    return Promise.resolve();
  }
}

describe.skipIf(!hasPython())('an upgraded connection to an independent inbound relay', () => {
  const shared = sharedResources();
  let api: UpgradeApi;
  let inbound: PythonInbound;
  let outbound: TestRelay;

  beforeAll(async () => {
    api = shared(await startUpgradeApi());
    inbound = shared(
      await startPythonInbound({ UPSTREAM: api.url, UPGRADE_PROTOCOLS: 'websocket,tcp' }),
    );
    outbound = shared(
      await startRelay({ TUNNEL_TRANSPORT: 'auto', UPGRADE_PROTOCOLS: 'websocket,tcp,irc' }),
    );
  });

  const ask = (path: string, protocol?: string, peer = inbound.url): Client =>
    forThisTest(new Client(outbound, peer, path, protocol));

  it.each(['websocket', 'TCP'])('carries octets both ways (%s)', async (protocol) => {
    const client = ask('/echo', protocol);
    const { status, fields } = await client.untilHead();
    client.socket.write('hello');
    const hello = (await client.untilOctets(5)).toString();
    const ended = once(client.socket, 'end');
    client.socket.end(LARGE);
    await ended;

    expect(status).toBe(101);
    expect(valueOf(fields, 'upgrade')?.toLowerCase()).toBe(protocol.toLowerCase());
    expect(valueOf(fields, 'connection')?.toLowerCase()).toBe('upgrade');
    expect(valueOf(fields, 'x-api')).toBe('yes');
    expect(hello).toBe('hello');
    expect(client.octets.equals(Buffer.concat([Buffer.from('hello'), LARGE]))).toBe(true);
    const asked = api.requests.items.at(-1)!;
    expect(asked.rawHeaders.join()).toContain('x-many,1,x-many,caf\xe9');
    expect(asked.rawHeaders.join().toLowerCase()).not.toContain('x-mte');
  });

  it('goes on in one direction when the other has ended', async () => {
    const client = ask('/after');
    await client.untilHead();
    const ended = once(client.socket, 'end');
    client.socket.end(LARGE);
    await ended;

    expect(client.octets.toString()).toBe(`${AFTER}${LARGE.length}`);
  });

  it('carries what either side says in the packet of its head', async () => {
    const client = ask('/greet');
    client.socket.write('early');

    expect((await client.untilOctets(10)).toString()).toBe('helloearly');
  });

  it('is asked for with the body of the request', async () => {
    const client = forThisTest(new Client(outbound, inbound.url, '/echo', 'tcp', 'abc'));
    await client.untilOctets(3);
    client.socket.write('d');

    expect((await client.untilOctets(4)).toString()).toBe('abcd');
    expect(api.requests.items.at(-1)!.headers['content-length']).toBe('3');
  });

  it('is an ordinary response if the API does not switch', async () => {
    const { status, fields, body } = await ask('/forbidden').response();

    expect([status, valueOf(fields, 'x-why'), body]).toEqual([403, 'a reason', 'no']);
  });

  it.each([
    ['an inner 501 for a protocol that only the outbound relay lists', '/echo', 'irc', 501],
    ['an inner 502 if the API switches to another protocol', '/other', 'websocket', 502],
  ])('is %s', async (_, path, protocol, status) => {
    expect(await ask(path, protocol).response()).toMatchObject({ status });
  });

  it('is reset when the API resets its connection', async () => {
    const client = ask('/reset');
    await client.untilHead();
    const failed = once(client.socket, 'error').catch((error: unknown) => [error]);
    client.socket.write('a');

    expect(await failed).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
  });

  it('is reset at the API when the client resets its connection', async () => {
    const client = ask('/echo');
    await client.untilHead();
    client.socket.write('a');
    await client.untilOctets(1);
    const ended = api.ends.items.length;
    client.socket.resetAndDestroy();

    expect((await api.ends.count(ended + 1)).at(-1)).toEqual({ path: '/echo', wasReset: true });
  });

  it('keeps what a client says before the 101, and its end behind it', async () => {
    const client = ask('/after');
    const ended = once(client.socket, 'end');
    client.socket.end('early');
    await ended;

    expect(client.octets.toString()).toBe(`${AFTER}5`);
  });

  it('is given up when the client ends its connection before the 101 and has said nothing', async () => {
    const ended = api.ends.items.length;
    const client = ask('/silent');
    await api.requests.find(({ url }) => url === '/silent');
    client.socket.end();

    expect((await api.ends.count(ended + 1)).at(-1)?.path).toBe('/silent');
  });

  it.each(['protocol', 'list', 'twice', 'nothing', 'length', 'status', 'flag', 'field'])(
    'is 502 if the response of the peer breaks a rule (%s)',
    async (name) => {
      const { status, body } = await ask(`/wrong/${name}`).response();

      expect(status).toBe(502);
      expect(JSON.parse(body)).toMatchObject({ error: { forwarded: 'maybe' } });
    },
  );

  it.each([
    [1, 502, 'no'],
    [2, 502, 'maybe'],
    [7, 503, 'no'],
  ])('says of a reset with code %i what it proves', async (code, status, forwarded) => {
    const response = await ask(`/reset/${code}`).response();

    expect(response.status).toBe(status);
    expect(JSON.parse(response.body)).toMatchObject({ error: { forwarded } });
  });

  it('is not asked for a second time if the channel breaks, though the method is safe', async () => {
    const { status, body } = await ask('/unheard').response();

    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ error: { forwarded: 'maybe' } });
    const asked = inbound.events.items.filter((event) => event['forwarded'] === '/unheard');
    expect(asked).toHaveLength(1);
  });

  it('is 503 and never forwarded if the inbound relay has no place for it', async () => {
    const full = forThisTest(
      await startPythonInbound({ UPSTREAM: api.url, MAX_UPGRADED_CONNECTIONS: '0' }),
    );

    const { status, fields, body } = await ask('/echo', 'websocket', full.url).response();

    expect(status).toBe(503);
    expect(valueOf(fields, 'retry-after')).toBeDefined();
    expect(JSON.parse(body)).toMatchObject({ error: { forwarded: 'no' } });
  });

  it('ends its channel, which the peer never ended for a broken rule', async () => {
    const opened = inbound.events.items.filter((event) => event['opened'] === 'conn');
    await inbound.events.find(
      () => inbound.events.items.filter((event) => 'channelEnded' in event).length >= opened.length,
    );

    expect(opened.length).toBeGreaterThan(0);
    const codes = inbound.events.items.map((event) => event['channelEnded']);
    expect(codes).not.toContain(1002);
    expect(codes).toContain(1001);
  });
});

import { Clock } from '@relay/clock';
import { CHANNEL_PATH } from '@relay/protocol';
import { beforeAll, describe, expect, it } from 'vitest';

import { ChannelAttacker, openingBy } from '../support/attackers/channel-attacker.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { headBytes, type Field } from '../support/network/raw-http.js';
import { exchangeRaw, openSocket } from '../support/network/raw-socket.js';
import { dataFrame, headersFrame } from '../support/protocol/channel-frames.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import { startSharedSessionTunnel } from '../support/tunnels/shared-session-tunnel.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const CHANNELS = { TUNNEL_TRANSPORT: 'channel' };

const shared = sharedResources();
let upstream: Upstream;
let inbound: TestRelay;
let peer: ProtocolClient;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  inbound = shared(await startRelay({ ...CHANNELS, UPSTREAM: upstream.url }));
  peer = await ProtocolClient.pair(inbound.url);
});

/** Sends bytes and returns what comes back, as text, until the relay ends the connection or makes it a channel. */
async function answerTo(bytes: Buffer, port = inbound.port): Promise<string> {
  const socket = forThisTest(openSocket(port));
  socket.write(bytes);
  const accepted = socket.until('HTTP/1.1 101 ').catch(() => socket.received);
  return (await Promise.race([socket.all(), accepted])).toString('latin1');
}

const statusOf = (answer: string): string => answer.split('\r\n', 1)[0] ?? '';

const openedChannels = (relay: TestRelay): number =>
  relay.log.items.filter(({ msg, status }) => msg === 'request completed' && status === 101).length;

/** The field that proves who refused an opening, and that nothing of it will ever be forwarded. */
const SIGNED = /^x-mte-relay: /im;

describe('#69 an opening that is replayed', () => {
  it('opens nothing, although its first delivery did', async () => {
    const { bytes } = openingBy(peer);
    const first = forThisTest(openSocket(inbound.port));
    first.write(bytes);
    await first.until('HTTP/1.1 101 ');
    const opened = openedChannels(inbound);

    const answer = await answerTo(bytes);

    expect(statusOf(answer)).toContain(' 565 ');
    expect(answer).toMatch(SIGNED);
    expect(openedChannels(inbound)).toBe(opened);
  });

  it('opens nothing on another replica, nor the other way round', async () => {
    const tunnel = forThisTest(await startSharedSessionTunnel(CHANNELS));
    const [one, other] = tunnel.inbound;
    const member = await ProtocolClient.pair(one.url);
    const { bytes } = openingBy(member);
    const first = forThisTest(openSocket(other.port));
    first.write(bytes);
    await first.until('HTTP/1.1 101 ');

    expect(statusOf(await answerTo(bytes, one.port))).toContain(' 565 ');
    expect(statusOf(await answerTo(bytes, other.port))).toContain(' 565 ');
    expect(openedChannels(one) + openedChannels(other)).toBe(1);
  });

  it('opens nothing if its first delivery was refused for want of a place', async () => {
    const small = forThisTest(
      await startRelay({ ...CHANNELS, MAX_CHANNELS_PER_PEER: '1', CHANNELS_PER_PEER: '1' }),
    );
    const member = await ProtocolClient.pair(small.url);
    const holder = forThisTest(await ChannelAttacker.open(member, small.port));
    const { bytes } = openingBy(member);
    expect(statusOf(await answerTo(bytes, small.port))).toContain(' 564 ');

    await holder.close();
    await small.log.find(({ msg }) => msg === 'channel broke');

    expect(statusOf(await answerTo(bytes, small.port))).toContain(' 565 ');
  });
});

describe('#70 an opening that is withheld', () => {
  it('for more than 30 s opens nothing, and never will', async () => {
    const clock = new HandMovedClock(Date.now());
    const relay = forThisTest(
      await startRelay(CHANNELS, (builder) => builder.overrideProvider(Clock).useValue(clock)),
    );
    const member = await ProtocolClient.pair(relay.url);
    const { bytes } = openingBy(member);
    clock.advance(32_000);

    const late = await answerTo(bytes, relay.port);

    expect(statusOf(late)).toContain(' 562 ');
    expect(late).toMatch(SIGNED);
    expect(statusOf(await answerTo(bytes, relay.port))).toContain(' 565 ');
    expect(openedChannels(relay)).toBe(0);
  });
});

const replaced =
  (name: string, value: string | ((value: string) => string)) =>
  (fields: readonly Field[]): readonly Field[] =>
    fields.map(([each, old]): Field => {
      const next = typeof value === 'string' ? value : value(old);
      return [each, each === name ? next : old];
    });

const without =
  (name: string) =>
  (fields: readonly Field[]): readonly Field[] =>
    fields.filter(([each]) => each !== name);

const added =
  (...more: readonly Field[]) =>
  (fields: readonly Field[]): readonly Field[] => [...fields, ...more];

/** Replaces one of the parts of `1.<sid>.<seq>.<age>.<type>.<salt>`. */
const part = (at: number, value: (old: string) => string) =>
  replaced('x-mte-relay', (header) => {
    const parts = header.split('.');
    parts[at] = value(parts[at] ?? '');
    return parts.join('.');
  });

const otherLetter = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

const ALTERED: readonly (readonly [
  what: string,
  alter: (fields: readonly Field[]) => readonly Field[],
])[] = [
  ['another session', part(1, otherLetter)],
  ['another number', part(2, (number) => `${number}1`)],
  ['another age', part(3, (age) => `${age}7`)],
  ['another type', part(4, () => 'conn')],
  ['the type of a message', part(4, () => 'mke')],
  ['another salt', part(5, otherLetter)],
  [
    'another signature',
    replaced('x-mte-client-id', (value) => value.slice(0, -2) + otherLetter(value.slice(-2))),
  ],
  ['no signature', without('x-mte-client-id')],
  ['two signatures', added(['x-mte-client-id', 'x'])],
  ['two headers of a relay', added(['x-mte-relay', 'x'])],
  ['another subprotocol', replaced('Sec-WebSocket-Protocol', 'mte-relay.2')],
  ['two subprotocols', replaced('Sec-WebSocket-Protocol', 'mte-relay.1, chat')],
  ['no subprotocol', without('Sec-WebSocket-Protocol')],
  ['another version', replaced('Sec-WebSocket-Version', '8')],
  ['a key that is too short', replaced('Sec-WebSocket-Key', 'AAAA')],
  ['two keys', added(['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='])],
  ['no key', without('Sec-WebSocket-Key')],
  ['an extension', added(['Sec-WebSocket-Extensions', 'permessage-deflate'])],
  ['another protocol', replaced('Upgrade', 'h2c')],
  ['a list of protocols', replaced('Upgrade', 'websocket, h2c')],
  ['no upgrade', replaced('Connection', 'close')],
];

describe('#71 an opening that was altered', () => {
  it.each(ALTERED)('is refused unsigned, and its connection closed: %s', async (_what, alter) => {
    const { bytes } = openingBy(peer, {}, alter);
    const opened = openedChannels(inbound);

    const answer = await answerTo(bytes);

    expect(statusOf(answer)).toMatch(/ (?:566|569) /);
    expect(answer).not.toMatch(SIGNED);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(answer.slice(answer.indexOf('\r\n\r\n'))).toBe('\r\n\r\n');
    expect(openedChannels(inbound)).toBe(opened);
  });

  it('consumes nothing: the original opens a channel afterwards', async () => {
    const { bytes, fields } = openingBy(peer);
    await answerTo(headBytes(`GET ${CHANNEL_PATH} HTTP/1.1`, part(5, otherLetter)(fields)));

    const socket = forThisTest(openSocket(inbound.port));
    socket.write(bytes);
    expect((await socket.until('\r\n\r\n')).toString()).toContain('HTTP/1.1 101 ');
  });

  it('has a log line with its code, of which a flood writes only so many', async () => {
    const relay = forThisTest(await startRelay(CHANNELS));
    const stranger = await ProtocolClient.pair(relay.url);
    for (let count = 0; count < 120; count += 1) {
      await answerTo(openingBy(stranger, {}, part(5, otherLetter)).bytes, relay.port);
    }
    const lines = relay.log.items.filter(({ code }) => code === 'RELAY_SENDER_INVALID');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(100);
  });
});

describe('#72 bytes around an opening', () => {
  it('before it, of another request: both end, and no channel is opened', async () => {
    const opened = openedChannels(inbound);
    const begun = upstream.hits;
    const slow = peer.seal({ body: ['x'] });
    const { bytes } = openingBy(peer);
    const message = headBytes('POST /api/mte-relay HTTP/1.1', [
      ['Host', 'b'],
      ...pairsOf(slow.rawHeaders),
      ['Content-Length', String(slow.body.length)],
    ]);

    // By the time that the API responds, both have been read.
    const socket = forThisTest(openSocket(inbound.port));
    socket.write(Buffer.concat([message, slow.body, bytes]));
    const answer = (await socket.until(' 566 ')).toString('latin1');
    expect(answer).toMatch(/^HTTP\/1\.1 200 (?!.* 101 )/s);
    expect(openedChannels(inbound)).toBe(opened);
    expect(upstream.hits).toBe(begun + 1);
  });

  it('behind it, that are no records: the channel ends, and nothing runs', async () => {
    const begun = upstream.hits;
    const { bytes } = openingBy(peer);
    const request = Buffer.from('GET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n');

    const answer = (await exchangeRaw(inbound.port, Buffer.concat([bytes, request]))).toString();

    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(upstream.hits).toBe(begun);
  });

  it('behind one that is refused are never read as a request', async () => {
    const begun = upstream.hits;
    const refused = openingBy(peer, {}, part(5, otherLetter));
    const request = Buffer.from('GET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n');

    const answer = await answerTo(Buffer.concat([refused.bytes, request]));

    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(upstream.hits).toBe(begun);
  });

  it.each([
    ['a length', [['Content-Length', '3']], 'abc'],
    ['chunks', [['Transfer-Encoding', 'chunked']], '3\r\nabc\r\n0\r\n\r\n'],
  ] as const)('that are its body, with %s, make it no opening', async (_what, framing, body) => {
    const opened = openedChannels(inbound);
    const { bytes } = openingBy(peer, {}, added(...framing, ['X-End', '1']));

    const answer = await answerTo(Buffer.concat([bytes, Buffer.from(body)]));

    expect(statusOf(answer)).toContain(' 566 ');
    expect(openedChannels(inbound)).toBe(opened);
  });

  it.each([
    ['another path', 'GET /api/mte-channels HTTP/1.1'],
    ['a path below', 'GET /api/mte-channel/ HTTP/1.1'],
    ['another method', 'PUT /api/mte-channel HTTP/1.1'],
    ['an older version', 'GET /api/mte-channel HTTP/1.0'],
  ])('that name %s make it an ordinary request', async (_what, startLine) => {
    const { fields } = openingBy(peer);
    const closing = replaced('Connection', 'Upgrade, close')(fields);

    const answer = await answerTo(headBytes(startLine, closing));

    expect(answer).not.toContain(' 101 ');
    expect(answer).toMatch(/ 401 .*RELAY_TOKEN_MISSING| 566 /s);
  });
});

describe('#73 a channel that nobody uses', () => {
  it('is ended if its first record does not come in time', async () => {
    const silent = forThisTest(await ChannelAttacker.open(peer, inbound.port, 'none'));
    const [code] = await silent.closeCodes.count(1);
    expect(code).toBe(1002);
    const line = inbound.log.items.findLast(({ msg }) => msg === 'channel broke');
    expect(line).toMatchObject({ code: 'RELAY_CHANNEL_BROKEN' });
    expect(JSON.stringify(line)).toContain('the peer sent no first record in time');
  });

  it('has no effect before its first record: a stream in its place ends it', async () => {
    const begun = upstream.hits;
    const hasty = forThisTest(await ChannelAttacker.open(peer, inbound.port, 'none'));
    hasty.send(headersFrame(1, {}, 0), dataFrame(1, 'x', 1));
    const [code] = await hasty.closeCodes.count(1);
    expect(code).toBe(1002);
    expect(upstream.hits).toBe(begun);
  });
});

function pairsOf(rawHeaders: readonly string[]): Field[] {
  return rawHeaders.flatMap((name, at): Field[] =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
  );
}

import { Readable } from 'node:stream';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { PassingRecord, RecordAttack } from '../support/attackers/channel-path.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { openSocket } from '../support/network/raw-socket.js';
import { channelHoldings, NOTHING_HELD } from '../support/relays/channel-metrics.js';
import { startChannelTunnel, type ChannelTunnel } from '../support/tunnels/channel-tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: ChannelTunnel;

beforeAll(async () => {
  tunnel = shared(await startChannelTunnel({ handler: echoBody }));
});

/** One channel is open, whose numbers the test knows, and nothing has run. */
beforeEach(async () => {
  tunnel.path.attack(undefined);
  // Whatever broke is not replaced at once, but after 10 min at the latest.
  tunnel.advance(601_000);
  tunnel.upstream.handle(echoBody);
  await tunnel.send({ path: '/before' });
  tunnel.upstream.forget();
});

const breaks = (): number =>
  [tunnel.inbound, tunnel.outbound]
    .map(({ log }) => log.items.filter(({ msg }) => msg === 'channel broke').length)
    .reduce((sum, count) => sum + count, 0);

/** Both relays have noticed the end of the channel, and hold nothing of it. */
async function expectNothingHeld(): Promise<void> {
  const holdings = async () => [
    await channelHoldings(tunnel.inbound),
    await channelHoldings(tunnel.outbound, 'outbound'),
  ];
  await expect.poll(holdings, { timeout: 30_000 }).toEqual([NOTHING_HELD, NOTHING_HELD]);
}

/** Attacks the first record of a request, which is a POST and must not be repeated. */
async function attackRequest(attack: RecordAttack): Promise<void> {
  const broken = breaks();
  let isDone = false;
  tunnel.path.attack((passing) => {
    if (isDone || passing.from !== 'near') {
      return [passing.record];
    }
    isDone = true;
    return attack(passing);
  });
  const response = await tunnel.send({ method: 'POST', path: '/attacked', body: 'secret words' });
  expect(response.status).toBe(502);
  expect(response.body.toString()).toContain('"forwarded":"maybe"');
  await expectNothingHeld();
  expect(breaks()).toBeGreaterThan(broken);
}

const flipped = (record: Buffer, at: number): Buffer => {
  const copy = Buffer.from(record);
  copy[at] = copy.readUInt8(at) ^ 1;
  return copy;
};

describe('#74 a record of a request that is altered on the path ends its channel, and nothing of it runs', () => {
  it.each<readonly [string, (record: Buffer) => Buffer]>([
    ['a bit of its length', (record) => flipped(record, 3)],
    ['the mark of the last record', (record) => flipped(record, 0).fill(record[0]! ^ 0x80, 0, 1)],
    ['the first bit of what is sealed', (record) => flipped(record, 4)],
    ['a bit in the middle', (record) => flipped(record, record.length >> 1)],
    ['the last bit of what is sealed', (record) => flipped(record, record.length - 17)],
    ['a bit of the tag', (record) => flipped(record, record.length - 1)],
    ['its end is cut', (record) => record.subarray(0, -1)],
    ['it is cut to its header', (record) => record.subarray(0, 4)],
    ['it is empty', () => Buffer.alloc(0)],
    ['octets are added', (record) => Buffer.concat([record, Buffer.of(0)])],
    ['it is there twice in one message', (record) => Buffer.concat([record, record])],
  ])('%s', async (_what, alter) => {
    await attackRequest(({ record }) => [alter(record)]);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#75 a record that is not at its place ends the channel', () => {
  it('replayed: the request runs once', async () => {
    await tunnel.send({ method: 'POST', path: '/honest', body: 'x' });
    const first = tunnel.path.records.items.findLast(({ from }) => from === 'near')!;
    await attackRequest(({ record }) => [first.record, record]);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/honest']);
  });

  it('delivered twice: what it opened runs at most once', async () => {
    await attackRequest(({ record }) => [record, record]);
    expect(tunnel.upstream.hits).toBeLessThanOrEqual(1);
  });

  it('dropped: what follows it has no effect', async () => {
    tunnel.upstream.handle(() => undefined);
    const held: PassingRecord[] = [];
    tunnel.path.attack((passing) => {
      if (passing.from === 'near' && held.length === 0) {
        held.push(passing);
        return [];
      }
      return [passing.record];
    });
    const [first, second] = await Promise.all([
      tunnel.send({ method: 'POST', path: '/dropped', body: 'x' }),
      (async () => {
        await expect.poll(() => held.length).toBe(1);
        return tunnel.send({ method: 'POST', path: '/behind', body: 'x' });
      })(),
    ]);
    expect([first.status, second.status]).toEqual([502, 502]);
    expect(tunnel.upstream.hits).toBe(0);
    await expectNothingHeld();
  });

  it('exchanged for the one behind it: neither has an effect', async () => {
    const held: PassingRecord[] = [];
    tunnel.path.attack((passing) => {
      if (passing.from !== 'near') {
        return [passing.record];
      }
      held.push(passing);
      return held.length === 1
        ? []
        : held
            .splice(0)
            .reverse()
            .map(({ record }) => record);
    });
    const responses = await Promise.all([
      tunnel.send({ method: 'POST', path: '/one', body: 'x' }),
      (async () => {
        await expect.poll(() => held.length).toBe(1);
        return tunnel.send({ method: 'POST', path: '/two', body: 'x' });
      })(),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([502, 502]);
    expect(tunnel.upstream.hits).toBe(0);
    await expectNothingHeld();
  });

  it('sent back to its sender: the request runs once, and its client gets no response from it', async () => {
    const broken = breaks();
    tunnel.upstream.handle(() => undefined);
    tunnel.path.attack(({ record, from, channel }) => {
      if (from === 'near') {
        channel.deliver(record, 'far');
      }
      return [record];
    });
    const response = await tunnel.send({ method: 'POST', path: '/reflected', body: 'x' });
    expect(response.status).toBe(502);
    expect(tunnel.upstream.hits).toBeLessThanOrEqual(1);
    expect(breaks()).toBeGreaterThan(broken);
    await expectNothingHeld();
  });

  it('taken from another channel: nothing of it runs in this one', async () => {
    const other = forThisTest(await startChannelTunnel({ outbound: { CHANNELS_PER_PEER: '2' } }));
    await other.send({ path: '/' });
    await expect.poll(() => other.path.openings.items.length).toBe(2);
    await expect.poll(async () => (await channelHoldings(other.inbound)).channels).toBe(2);
    await expect
      .poll(() => other.path.records.items.filter(({ index }) => index === 0).length)
      .toBe(4);
    other.upstream.forget();
    const channels = other.path.openings.items.map(({ channel }) => channel);
    other.path.attack(({ record, from, channel }) => {
      if (from === 'far') {
        return [record];
      }
      channels.find((each) => each !== channel)?.deliver(record, 'near');
      return [];
    });
    // The channel that the record was taken from hears nothing more: only its PING shows that.
    const time = setInterval(() => {
      other.advance(5_000);
    }, 500);
    const response = await other.send({ method: 'POST', path: '/spliced', body: 'x' });
    clearInterval(time);
    expect([502, 504]).toContain(response.status);
    expect(other.upstream.hits).toBe(0);
  });
});

describe('#74 a response that is altered on the path', () => {
  it.each<readonly [string, RecordAttack]>([
    ['flipped', ({ record }) => [flipped(record, record.length - 1)]],
    ['replayed', ({ record }) => [record, record]],
    ['cut', ({ record }) => [record.subarray(0, -1)]],
  ])('never reaches the client as a whole one that it is not: %s', async (_what, attack) => {
    tunnel.path.attack((passing) => (passing.from === 'far' ? attack(passing) : [passing.record]));
    const outcome = await tunnel
      .send({ method: 'POST', path: '/attacked', body: 'words' })
      .catch(() => undefined);
    expect(
      outcome === undefined || outcome.status === 502 || outcome.body.toString() === 'words',
    ).toBe(true);
    expect(tunnel.upstream.hits).toBe(1);
    await expectNothingHeld();
  });
});

describe('#77 a channel that is cut', () => {
  const BODY = Buffer.alloc(400_000, 'x');

  it.each([
    ['with a length', { 'content-length': String(BODY.length) }],
    ['without a length', {}],
  ])('within a response %s: the client sees a reset, and never the end', async (_what, fields) => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, fields);
      response.write(BODY.subarray(0, -1));
      // The last octet, and so END_STREAM, is never sent.
    });
    const client = forThisTest(openSocket(tunnel.outbound.port));
    const head = Object.entries(tunnel.clientHeaders).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    client.write(`GET /cut HTTP/1.1\r\nhost: a\r\n${head.join('')}\r\n`);
    await client.until('xxxx');

    for (const { channel } of tunnel.path.openings.items) {
      channel.connection.cut();
    }

    expect(await client.ended).toBe('reset');
    const received = client.received.toString('latin1');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
    expect(received.length).toBeLessThan(BODY.length + 1_000);
    await expectNothingHeld();
  });

  it('before its last record with END_STREAM: the last octets of the response are withheld', async () => {
    tunnel.upstream.handle(async (_request, response) => {
      response.writeHead(200, { 'content-length': '11' });
      response.write('first ');
      await new Promise((resolve) => setTimeout(resolve, 50));
      response.end('other');
    });
    tunnel.path.attack(({ record, from, index, channel }) => {
      const isLast = from === 'far' && index > 0 && record.length < 64;
      if (isLast) {
        setImmediate(() => {
          channel.connection.cut();
        });
      }
      return isLast ? [] : [record];
    });
    await expect(tunnel.send({ path: '/cut' })).rejects.toThrow();
    await expectNothingHeld();
  });

  it.each([
    ['with a length', () => BODY],
    ['in chunks', () => Readable.from([BODY.subarray(0, 200_000), BODY.subarray(200_000)])],
  ])('within a request %s: the API never has it whole', async (_what, makeBody) => {
    const halfway = new Promise<void>((resolve) => {
      let bytes = 0;
      tunnel.path.attack(({ record, from, channel }) => {
        bytes += from === 'near' ? record.length : 0;
        if (bytes > 200_000) {
          setImmediate(() => {
            channel.connection.cut();
          });
          resolve();
          return [];
        }
        return [record];
      });
    });
    const response = tunnel.send({ method: 'POST', path: '/cut', body: makeBody() });
    await halfway;
    const { status, body } = await response;
    expect(status).toBe(502);
    expect(body.toString()).toContain('"forwarded":"maybe"');
    const outcomes = await Promise.all(
      tunnel.upstream.requests.items.map(({ outcome }) => outcome),
    );
    expect(outcomes).not.toContain('complete');
    await expectNothingHeld();
  });
});

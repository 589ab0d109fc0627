import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { forgedAcceptance } from '../support/attackers/forged-acceptance.js';
import type { RecordAttack, Side } from '../support/attackers/channel-path.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { encodeWebSocketFrame } from '../support/protocol/web-socket-frames.js';
import {
  GRANTED,
  startOctetTunnel,
  type OctetEnds,
  type OctetTunnel,
} from '../support/tunnels/octet-tunnel.js';

const shared = sharedResources();
let tunnel: OctetTunnel;

beforeAll(async () => {
  tunnel = shared(await startOctetTunnel());
});

beforeEach(() => {
  tunnel.path.attack(undefined);
  tunnel.path.attackOpenings(undefined);
  tunnel.path.openings.items.length = 0;
  tunnel.asked.items.length = 0;
  tunnel.answer(({ connection }) => {
    connection.write(GRANTED);
  });
});

/** Cuts the channel that was opened last. */
const cut = (): void => {
  tunnel.path.openings.items.at(-1)!.channel.connection.cut();
};

const openings = (): number => tunnel.path.openings.items.length;

describe('#85 the opening of an upgraded connection that is replayed', () => {
  it('opens nothing, and its API is not asked again', async () => {
    const { client } = await tunnel.open();
    const [{ head } = { head: Buffer.alloc(0) }] = tunnel.path.openings.items;

    const answer = (await exchangeRaw(tunnel.inbound.port, head)).toString();

    expect(answer).toMatch(/^HTTP\/1\.1 565 /);
    expect(tunnel.asked.items).toHaveLength(1);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it('before its first delivery: the client is served with another, and the API asked once', async () => {
    const replayed: Promise<unknown>[] = [];
    tunnel.path.attackOpenings((head) => {
      if (openings() === 1) {
        // Its copy is there first.
        replayed.push(exchangeRaw(tunnel.inbound.port, head));
        return undefined;
      }
      return head;
    });
    const client = tunnel.ask();
    const { channel, head } = await tunnel.path.openings.find();
    await tunnel.inbound.log.find(
      ({ status, msg }) => status === 101 && msg === 'request completed',
    );
    channel.connection.far.write(head);

    await client.until('HTTP/1.1 101 ');
    expect(tunnel.asked.items).toHaveLength(1);
    client.socket.destroy();
    // The copy became a channel that nobody can use.
    await Promise.all(replayed);
    await tunnel.expectNothingLeft();
  });
});

const flipped = (record: Buffer): Buffer => {
  const copy = Buffer.from(record);
  copy[record.length >> 1] = copy.readUInt8(record.length >> 1) ^ 1;
  return copy;
};

/** Attacks the next record of one side, and only that. */
function attackNext(side: Side, attack: RecordAttack): Promise<void> {
  return new Promise((resolve) => {
    let isDone = false;
    tunnel.path.attack((passing) => {
      if (isDone || passing.from !== side) {
        return [passing.record];
      }
      isDone = true;
      resolve();
      return attack(passing);
    });
  });
}

/** Neither end takes what has happened for the end of the other. */
async function expectReset({ client, api }: OctetEnds): Promise<void> {
  expect([await client.ended, await api.ended]).toEqual(['reset', 'reset']);
  await tunnel.expectNothingLeft();
}

describe('#86 an upgraded connection whose records are attacked is reset at both ends', () => {
  const ATTACKS: readonly (readonly [string, RecordAttack])[] = [
    ['altered', ({ record }) => [flipped(record)]],
    ['cut', ({ record }) => [record.subarray(0, -1)]],
    ['dropped', () => []],
    ['delivered twice', ({ record }) => [record, record]],
  ];

  it.each(
    ATTACKS.flatMap(([what, attack]) =>
      (['near', 'far'] as const).map((side) => [what, side, attack] as const),
    ),
  )('%s, of the %s relay', async (_what, side, attack) => {
    const ends = await tunnel.open();
    const [sender, receiver] = side === 'near' ? [ends.client, ends.api] : [ends.api, ends.client];
    const before = receiver.received.length;
    const attacked = attackNext(side, attack);
    sender.write('first');
    await attacked;
    sender.write('second');

    await expectReset(ends);
    // Nothing that was lost is skipped.
    expect('firstsecond'.startsWith(receiver.received.toString().slice(before))).toBe(true);
    expect(['', 'first']).toContain(receiver.received.toString().slice(before));
  });

  it('replayed from before', async () => {
    const ends = await tunnel.open();
    const { channel } = tunnel.path.openings.items[0]!;
    ends.client.write('first');
    await ends.api.until('first');
    const { record } = tunnel.path.records.items.findLast(({ from }) => from === 'near')!;
    const before = ends.api.received.length;
    channel.deliver(record, 'near');

    const taken = ends.api.until('firstfirst').then(() => 'taken');
    expect(await Promise.race([ends.api.ended, taken])).toBe('reset');
    await expectReset(ends);
    expect(ends.api.received).toHaveLength(before);
  });

  it.each<readonly [string, () => void]>([
    ['cut', cut],
    [
      'closed, as if it had been ended',
      () => {
        const { near, far } = tunnel.path.openings.items.at(-1)!.channel.connection;
        near.end();
        far.end();
      },
    ],
    [
      'closed by a WebSocket that says so',
      () => {
        const { near, far } = tunnel.path.openings.items.at(-1)!.channel.connection;
        const close = (isMasked: boolean) =>
          encodeWebSocketFrame(Buffer.of(0x03, 0xe8), isMasked, { opcode: 8 });
        near.write(close(false));
        far.write(close(true));
      },
    ],
  ])('or whose channel is %s', async (_what, end) => {
    const ends = await tunnel.open();
    ends.client.write('some');
    await ends.api.until('some');
    end();
    await expectReset(ends);
  });
});

describe('#89 whoever answers the opening in place of the other relay', () => {
  it.each<readonly [string, (head: Buffer) => Buffer]>([
    ['with a 101 and octets', () => Buffer.from(`${GRANTED}evil octets`)],
    [
      'with a WebSocket of its own',
      (head) => Buffer.concat([forgedAcceptance(head), Buffer.from('evil octets')]),
    ],
    [
      'with a WebSocket of its own and a message',
      (head) =>
        Buffer.concat([
          forgedAcceptance(head),
          encodeWebSocketFrame(Buffer.from(`${GRANTED}evil octets`), false),
        ]),
    ],
    [
      'with a response',
      () => Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nevil octets'),
    ],
  ])(
    '%s: its octets never reach the client, nor those of the client anybody',
    async (_what, answer) => {
      tunnel.path.attackOpenings(() => undefined);
      const client = tunnel.ask(
        tunnel.head('GET /ws HTTP/1.1', ['Connection', 'Upgrade'], ['Upgrade', 'websocket']),
        'secret words',
      );
      const { head, channel } = await tunnel.path.openings.find();
      const seen: Buffer[] = [];
      channel.connection.near.on('data', (chunk) => seen.push(chunk));
      channel.connection.near.write(answer(head));

      const received = (await client.all()).toString();
      expect(received).toMatch(/^HTTP\/1\.1 501 .*RELAY_UPGRADE_UNSUPPORTED.*"forwarded":"no"/s);
      expect(received).not.toContain('evil');
      expect(Buffer.concat(seen).toString()).not.toContain('secret');
      expect(tunnel.asked.items).toEqual([]);
      await tunnel.expectNothingLeft();
    },
  );
});

describe('#91 an upgrade whose channel breaks', () => {
  it('before it was asked for was not forwarded, and never will be', async () => {
    tunnel.path.attackOpenings(() => {
      setImmediate(cut);
      return undefined;
    });
    const received = (await tunnel.ask().all()).toString();

    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"no"/s);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });

  it('behind the first record of the other relay is answered, and at once', async () => {
    tunnel.path.attack(({ record, from, index }) => {
      if (from === 'far' && index === 0) {
        setImmediate(cut);
      }
      return [record];
    });
    const received = (await tunnel.ask().all()).toString();

    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"(?:no|maybe)"/s);
    expect(openings()).toBe(1);
    await tunnel.expectNothingLeft();
  });

  it('on the way of its request may have been forwarded', async () => {
    tunnel.path.attack(({ record, from, index }) => {
      if (from === 'near' && index === 1) {
        setImmediate(cut);
        return [];
      }
      return [record];
    });
    const received = (await tunnel.ask().all()).toString();

    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"maybe"/s);
    expect(openings()).toBe(1);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });

  it.each(['GET', 'POST'])(
    'after the API was asked may have an effect, and is not asked for again: %s',
    async (method) => {
      tunnel.answer(cut);
      const fields = [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ] as const;
      const client = tunnel.ask(tunnel.head(`${method} /ws HTTP/1.1`, ...fields));
      const received = (await client.all()).toString();

      expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"maybe"/s);
      expect(tunnel.asked.items).toHaveLength(1);
      expect(openings()).toBe(1);
      await tunnel.expectNothingLeft();
    },
  );

  it('while the 101 is on its way may have an effect, and its client has no 101', async () => {
    tunnel.path.attack(({ record, from, index }) => {
      if (from === 'far' && index === 1) {
        setImmediate(cut);
        return [];
      }
      return [record];
    });
    const received = (await tunnel.ask().all()).toString();

    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"maybe"/s);
    expect(await tunnel.asked.items[0]!.connection.ended).toBe('reset');
    expect(tunnel.asked.items).toHaveLength(1);
    await tunnel.expectNothingLeft();
  });
});

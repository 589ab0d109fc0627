import { RELAY_HEADER, TUNNEL_PATH, type MessageType } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { completed } from '../support/tunnels/attacked-tunnel.js';
import { flipBit, permutations, properSubsets } from '../support/attackers/corruption.js';
import { headerOf, withHeader, type WireRequest } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, type MessageSpec } from '../support/attackers/protocol-client.js';
import { openSocket } from '../support/network/raw-socket.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const FOUR_RECORDS: MessageSpec = {
  head: { path: '/tampered', fields: ['x-field', 'value'] },
  body: ['the first part, ', 'the second part, ', 'the last part'],
};
const TYPES = ['mke', 'mte'] as const;

const shared = sharedResources();
let upstream: Upstream;
let inbound: TestRelay;
let client: ProtocolClient;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  inbound = shared(await startRelay({ UPSTREAM: upstream.url }));
  client = await ProtocolClient.pair(inbound.url);
});

beforeEach(() => {
  upstream.forget();
});

/** Expects the inbound relay to refuse a request with an error that the holder of its session can verify. */
const expectRefused = async (
  request: WireRequest,
  what: string,
  holder = client,
): Promise<void> => {
  const response = await client.deliver(request);
  const signedError = holder.signedErrorOf(request, response);
  expect(signedError, what).toMatchObject({ status: 562 });
};

/** With MKE, forwarding may have begun before the bad record; with MTE, it must not have begun at all. */
const expectNeverExecuted = async (type: MessageType): Promise<void> => {
  expect(await completed(upstream)).toBe(0);
  if (type === 'mte') {
    expect(upstream.hits).toBe(0);
  }
};

describe.each(TYPES)('#2 a message of four records (%s)', (type) => {
  it('is executed if nobody has touched it', async () => {
    const message = client.seal({ ...FOUR_RECORDS, type });

    const { head, body } = client.open(message, await client.deliver(message));

    expect(head.status).toBe(200);
    expect(body.toString()).toBe('the first part, the second part, the last part');
    expect(await completed(upstream)).toBe(1);
  });

  it('is never executed if a bit of any record is flipped', async () => {
    const bits = client.seal(FOUR_RECORDS).body.length * 8;
    for (let bit = 0; bit < bits; bit += 13) {
      const message = client.seal({ ...FOUR_RECORDS, type });
      await expectRefused({ ...message, body: flipBit(message.body, bit) }, `bit ${bit}`);
    }

    await expectNeverExecuted(type);
  });

  it('is never executed if a bit in the length of any record is flipped', async () => {
    const { records } = client.seal(FOUR_RECORDS);
    let start = 0;
    for (const { length } of records) {
      for (let bit = start * 8; bit < (start + 4) * 8; bit += 1) {
        const message = client.seal({ ...FOUR_RECORDS, type });
        await expectRefused({ ...message, body: flipBit(message.body, bit) }, `bit ${bit}`);
      }
      start += length;
    }

    await expectNeverExecuted(type);
  });

  it('is refused, unsigned and before its body is read, if a bit of its header is flipped', async () => {
    const message = client.seal({ ...FOUR_RECORDS, type });
    const given = Buffer.from(message.relayHeader, 'latin1');
    const flipped = Array.from({ length: given.length * 8 }, (_, bit) =>
      flipBit(given, bit).toString('latin1'),
    ).filter((value) => /^[\x21-\x7e]*$/.test(value));

    for (const value of flipped) {
      const response = await client.deliver(withHeader(message, RELAY_HEADER, value));
      expect([response.status, headerOf(response, RELAY_HEADER)], value).toEqual([566, '']);
    }

    expect(flipped.length).toBeGreaterThan(200);
    expect(upstream.hits).toBe(0);
  });

  it.each(['sid', 'seq', 'replaced', 'age', 'type', 'salt'])(
    'does not open under a validly signed header with another %s',
    async (field) => {
      const other = await ProtocolClient.pair(inbound.url);
      const message = client.seal({ ...FOUR_RECORDS, type });
      const [, sid, sequence, age, , salt] = message.relayHeader.split('.') as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const another: Record<string, string> = {
        sid: `1.${other.session.sid}.${sequence}.${age}.${type}.${salt}`,
        seq: `1.${sid}.${Number(sequence) + 1000}.${age}.${type}.${salt}`,
        replaced: `1.${sid}.${Number(sequence) + 2000}r${Number(sequence) + 1999}.${age}.${type}.${salt}`,
        age: `1.${sid}.${sequence}.${Number(age) + 1}.${type}.${salt}`,
        type: `1.${sid}.${sequence}.${age}.${type === 'mke' ? 'mte' : 'mke'}.${salt}`,
        salt: `1.${sid}.${sequence}.${age}.${type}.AAAAAAAAAAAAAAAAAAAAAA`,
      };
      const header = another[field] ?? '';
      expect(header).not.toBe(message.relayHeader);

      await expectRefused(
        client.signed(header, message.body),
        field,
        field === 'sid' ? other : client,
      );

      expect(upstream.hits).toBe(0);
    },
  );
});

describe.each(TYPES)('#3 a message of four records (%s)', (type) => {
  it('is never executed if it is cut anywhere', async () => {
    const { length } = client.seal(FOUR_RECORDS).body;
    for (let at = 0; at < length; at += 3) {
      const message = client.seal({ ...FOUR_RECORDS, type });
      await expectRefused({ ...message, body: message.body.subarray(0, at) }, `cut at ${at}`);
    }

    await expectNeverExecuted(type);
  });

  it('is never executed if it is cut between two records', async () => {
    for (const count of [1, 2, 3]) {
      const message = client.seal({ ...FOUR_RECORDS, type });
      const body = Buffer.concat(message.records.slice(0, count));
      await expectRefused({ ...message, body }, `${count} records`);
    }

    await expectNeverExecuted(type);
  });

  it('is never executed if anything follows it', async () => {
    for (const [what, more] of [
      ['a byte', () => Buffer.of(0)],
      ['its last record', (records: readonly Buffer[]) => records[3]!],
      ['itself', (records: readonly Buffer[]) => Buffer.concat(records)],
    ] as const) {
      const message = client.seal({ ...FOUR_RECORDS, type });
      const body = Buffer.concat([message.body, more(message.records)]);
      await expectRefused({ ...message, body }, what);
    }

    await expectNeverExecuted(type);
  });
});

describe.each(TYPES)('#3 a message whose last record has arrived (%s)', (type) => {
  it('waits for the end of its HTTP request, and is refused if a byte arrives instead', async () => {
    const message = client.seal({ ...FOUR_RECORDS, type });
    const fields = message.rawHeaders.map((text, at) => text + (at % 2 === 0 ? ': ' : '\r\n'));
    const socket = forThisTest(openSocket(inbound.port));
    socket.write(`POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: a\r\n${fields.join('')}`);
    socket.write(`content-length: ${message.body.length + 1}\r\n\r\n`);
    socket.write(message.body);
    // Later messages are answered before this one.
    for (let count = 0; count < 5; count += 1) {
      await client.deliver(client.seal({ head: { path: '/other' } }));
    }
    const begun = upstream.requests.items.filter(({ url }) => url === '/tampered');
    expect(begun.map((request) => request.message.complete)).toEqual(type === 'mke' ? [false] : []);

    socket.write('x');

    expect((await socket.until('\r\n\r\n')).toString('latin1')).toMatch(/^HTTP\/1.1 562 /);
    expect(await Promise.all(begun.map(({ outcome }) => outcome))).not.toContain('complete');
  });
});

describe.each(TYPES)('#4 the records of a message (%s)', (type) => {
  const sendRecords = async (pick: (records: readonly Buffer[]) => readonly Buffer[]) => {
    const message = client.seal({ ...FOUR_RECORDS, type });
    const body = Buffer.concat(pick(message.records));
    await expectRefused({ ...message, body }, type);
  };

  it('are never executed in any of the 23 other orders', async () => {
    const [, ...orders] = permutations([0, 1, 2, 3]);
    for (const order of orders) {
      await sendRecords((records) => order.map((at) => records[at]!));
    }

    expect(orders).toHaveLength(23);
    await expectNeverExecuted(type);
  });

  it('are never executed if any of them is missing', async () => {
    const subsets = properSubsets([0, 1, 2, 3]);
    for (const subset of subsets) {
      await sendRecords((records) => subset.map((at) => records[at]!));
    }

    expect(subsets).toHaveLength(15);
    await expectNeverExecuted(type);
  });

  it('are never executed if any of them is doubled', async () => {
    for (const twice of [0, 1, 2, 3]) {
      await sendRecords((records) => records.toSpliced(twice, 0, records[twice]!));
    }

    await expectNeverExecuted(type);
  });
});

describe('#12 records of one session', () => {
  it('are never executed in a message of another session', async () => {
    const other = await ProtocolClient.pair(inbound.url);
    for (const at of [0, 1, 2, 3]) {
      const theirs = other.seal(FOUR_RECORDS);
      const message = client.seal(FOUR_RECORDS);
      const body = Buffer.concat(message.records.with(at, theirs.records[at]!));
      await expectRefused({ ...message, body }, `record ${at}`);
    }

    expect(await completed(upstream)).toBe(0);
  });

  it('are never executed in another message of the same session', async () => {
    for (const at of [0, 1, 2, 3]) {
      const earlier = client.seal(FOUR_RECORDS);
      const message = client.seal(FOUR_RECORDS);
      const body = Buffer.concat(message.records.with(at, earlier.records[at]!));
      await expectRefused({ ...message, body }, `record ${at}`);
    }

    expect(await completed(upstream)).toBe(0);
  });
});

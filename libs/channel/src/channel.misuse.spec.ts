import { describe, expect, it } from 'vitest';

import {
  inboundEnd,
  openPair,
  openStream,
  outboundEnd,
  settle,
  shortHead,
  StreamLog,
} from '../../../test/support/protocol/channel-ends.js';
import { StreamCode } from './frame.js';

const SECOND_MS = 1_000;

describe('a stream that its user has given up', () => {
  it('never says that its body was whole, even if its writer goes on', () => {
    const pair = openPair();
    const { accepted, stream } = openStream(pair);
    stream.write(Buffer.alloc(10));
    stream.reset(StreamCode.CANCEL);
    stream.write(Buffer.alloc(5));
    stream.end();
    settle(pair.a, pair.b);
    expect(accepted.log.hasEnded).toBe(false);
    expect(accepted.log.failure).toBe('reset');
  });

  it('hears nothing more, not even in the turn in which its reset has not been sent', () => {
    const { a, b } = openPair();
    const { stream, log, accepted } = openStream({ a, b }, true);
    accepted.stream.start(shortHead(true));
    b.transport.endTurn();

    stream.reset(StreamCode.CANCEL);
    a.channel.receive(b.transport.leave()!);

    expect(log.head).toBeUndefined();
  });
});

describe('#83 octets for a consumer', () => {
  it('that are a small part of their record keep no record in memory', () => {
    const kept: Buffer[] = [];
    const a = outboundEnd();
    const b = inboundEnd({}, ({ log }) => {
      log.onData = (octets) => kept.push(octets) > 0;
      return log;
    });
    settle(a, b);
    const first = a.channel.openStream(shortHead(), new StreamLog());
    const second = a.channel.openStream(shortHead(), new StreamLog());
    first.write(Buffer.alloc(1));
    second.write(Buffer.alloc(16_384));
    settle(a, b);

    const [one, most] = [1, 16_384].map((bytes) => kept.find(({ length }) => length === bytes));
    expect(one).toBeDefined();
    expect(one?.buffer).not.toBe(most?.buffer);
  });
});

describe('#82 a peer that takes nothing', () => {
  it('loses the streams whose octets wait for it, after the time limit, and only those', () => {
    const { a, b } = openPair({ initialWindowBytes: 65_536, stallTimeoutMs: 60 * SECOND_MS });
    const one = openStream({ a, b });
    const other = openStream({ a, b });
    for (const { log, accepted } of [one, other]) {
      log.isTaking = false;
      accepted.stream.start(shortHead());
      accepted.stream.write(Buffer.alloc(100_000));
    }
    settle(a, b);
    for (let second = 0; second <= 61; second += 1) {
      if (second === 30) {
        other.stream.resume();
      }
      b.channel.checkLiveness(second * SECOND_MS);
      settle(a, b);
    }
    expect(one.accepted.log.failure).toBe('stalled');
    expect(one.log.failure).toBe('reset');
    expect(other.accepted.log.failure).toBeUndefined();
  });
});

describe('#78 liveness', () => {
  const settings = () => openPair();

  /** Delivers what `a` has sent, one record every 15 s: each is a sign of life, and older than the one before. */
  it('needs an answer to a PING, not only records: what trickles through late ends the channel', () => {
    const { a, b } = settings();
    const stream = a.channel.openStream(shortHead(), new StreamLog());
    a.transport.endTurn();
    const late: Buffer[] = [];
    for (let count = 0; count < 20; count += 1) {
      stream.write(Buffer.of(count));
      a.transport.endTurn();
      late.push(a.transport.leave()!);
    }
    let second = 0;
    for (const record of late) {
      b.channel.receive(record);
      for (let step = 0; step < 15; step += 1) {
        b.channel.checkLiveness(second * SECOND_MS);
        second += 1;
        if (b.transport.isDue) {
          b.transport.endTurn();
        }
        while (b.transport.leave() !== undefined) {
          // The PING reaches the peer; its answer is held back.
        }
      }
      if (b.told.some((told) => told.startsWith('broken'))) {
        break;
      }
    }
    expect(b.told).toContain('broken: the peer is silent');
    expect(second).toBeLessThanOrEqual(90);
  });

  it('costs an idle channel no more than one PING of each side in 20 s', () => {
    const { a, b } = settings();
    const counts = { a: 0, b: 0 };
    for (let second = 0; second < 600; second += 1) {
      for (const [name, end] of Object.entries({ a, b })) {
        const before = end.channel.recordCount;
        end.channel.checkLiveness(second * SECOND_MS);
        if (end.transport.isDue) {
          end.transport.endTurn();
        }
        counts[name as 'a' | 'b'] += end.channel.recordCount - before;
      }
      settle(a, b);
    }
    expect(counts.a).toBeLessThanOrEqual(30);
    expect(counts.b).toBeLessThanOrEqual(30);
    expect([...a.told, ...b.told].filter((told) => told.startsWith('broken'))).toEqual([]);
  });

  it('notices a peer that sends but does not read', () => {
    const { a, b } = settings();
    const { accepted } = openStream({ a, b }, true);
    accepted.stream.start(shortHead());
    accepted.stream.write(Buffer.alloc(65_536));
    b.transport.endTurn();
    const ping = (second: number): void => {
      a.channel.checkLiveness(second * SECOND_MS);
      if (a.transport.isDue) {
        a.transport.endTurn();
      }
      for (let record = a.transport.leave(); record !== undefined; record = a.transport.leave()) {
        b.channel.receive(record);
      }
    };
    for (let second = 0; second <= 90 && b.told.length < 2; second += 1) {
      ping(second);
      b.channel.checkLiveness(second * SECOND_MS);
      if (b.transport.isDue) {
        b.transport.endTurn();
      }
    }
    expect(b.told).toContain('broken: the peer is silent');
  });
});

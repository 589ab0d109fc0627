import { describe, expect, it } from 'vitest';

import {
  openPair,
  openStream,
  settle,
  shortHead,
  StreamLog,
} from '../../../test/support/protocol/channel-ends.js';
import { StreamCode } from './frame.js';
import { DEFAULT_WINDOW_BYTES } from './settings.js';
import { WaitingOctets } from './waiting-octets.js';

describe('a small request', () => {
  it('is one record, and so is its response', () => {
    const pair = openPair();
    const log = new StreamLog();
    const stream = pair.a.channel.openStream(shortHead(), log);
    stream.end(Buffer.from('body'));
    pair.a.transport.endTurn();
    expect(pair.a.transport.held).toHaveLength(1);
    settle(pair.a, pair.b);

    const [accepted] = pair.b.accepted;
    accepted!.stream.start(shortHead());
    accepted!.stream.end(Buffer.from('response'));
    pair.b.transport.endTurn();
    expect(pair.b.transport.held).toHaveLength(1);
    settle(pair.a, pair.b);
    expect([accepted!.log.octets.toString(), log.octets.toString()]).toEqual(['body', 'response']);
  });

  it('shares its record with the others of the same turn', () => {
    const { a } = openPair();
    for (let count = 0; count < 20; count += 1) {
      a.channel.openStream(shortHead(true), new StreamLog());
    }
    a.transport.endTurn();
    expect(a.transport.held).toHaveLength(1);
  });
});

describe('a stream among others', () => {
  it('waits for at most 16 KiB of each of them', () => {
    const pair = openPair();
    const logs = Array.from({ length: 3 }, () => openStream(pair));
    logs.forEach(({ stream }) => {
      stream.write(Buffer.alloc(200_000));
    });
    const late = pair.a.channel.openStream(shortHead(), new StreamLog());
    late.end(Buffer.from('late'));
    pair.a.transport.endTurn();
    pair.b.channel.receive(pair.a.transport.leave()!);
    expect(pair.b.accepted.at(-1)!.log.octets.toString()).toBe('late');
  });

  it('goes on while the consumer of another takes nothing', () => {
    const pair = openPair();
    const stalled = openStream(pair);
    const lively = openStream(pair);
    stalled.accepted.log.isTaking = false;
    stalled.stream.end(Buffer.alloc(10 * DEFAULT_WINDOW_BYTES));
    lively.stream.end(Buffer.alloc(10 * DEFAULT_WINDOW_BYTES));
    settle(pair.a, pair.b);
    expect(stalled.accepted.log.hasEnded).toBe(false);
    expect(lively.accepted.log.octets).toHaveLength(10 * DEFAULT_WINDOW_BYTES);
    expect(lively.accepted.log.hasEnded).toBe(true);
  });
});

describe('flow control', () => {
  it('sends no more than was granted to a consumer that takes nothing', () => {
    const waiting = new WaitingOctets(2 ** 30);
    const pair = openPair({ waiting });
    const { stream, accepted } = openStream(pair);
    accepted.log.isTaking = false;
    stream.write(Buffer.alloc(2 * DEFAULT_WINDOW_BYTES));
    settle(pair.a, pair.b);
    expect(waiting.bytes).toBe(DEFAULT_WINDOW_BYTES);
  });

  it('asks a writer to wait, and tells it when it may go on', () => {
    const pair = openPair();
    const { stream, accepted, log } = openStream(pair);
    accepted.log.isTaking = false;
    expect(stream.write(Buffer.alloc(2 * DEFAULT_WINDOW_BYTES))).toBe(false);
    settle(pair.a, pair.b);
    expect(log.drains).toBe(0);
    accepted.log.isTaking = true;
    accepted.stream.resume();
    settle(pair.a, pair.b);
    expect(log.drains).toBe(1);
  });

  it('makes no record with DATA while 256 KiB have not left the socket, and grants nevertheless', () => {
    const pair = openPair({ initialWindowBytes: 2 ** 22 });
    const { stream, accepted } = openStream(pair);
    stream.write(Buffer.alloc(2 ** 22));
    accepted.stream.start(shortHead());
    accepted.stream.write(Buffer.alloc(2 ** 21));
    pair.a.transport.endTurn();
    expect(pair.a.transport.unsentBytes).toBeLessThan(400_000);
    pair.b.transport.endTurn();
    for (let record = pair.b.transport.leave(); record; record = pair.b.transport.leave()) {
      pair.a.channel.receive(record);
      pair.b.channel.drained();
      pair.b.transport.endTurn();
    }
    const before = pair.a.transport.held.length;
    pair.a.transport.endTurn();
    expect(pair.a.transport.held).toHaveLength(before + 1);
    expect(pair.a.transport.held.at(-1)!.record.length).toBeLessThan(100);
  });

  it('breaks a channel whose peer does not read', () => {
    const pair = openPair();
    const { stream } = openStream(pair);
    pair.a.transport.unsentBytes = 5 * 2 ** 20;
    stream.reset(StreamCode.CANCEL);
    pair.a.transport.endTurn();
    expect(pair.a.told.at(-1)).toBe('broken: the peer does not read');
  });

  it('keeps many small pieces in about as much memory as they have octets', () => {
    const waiting = new WaitingOctets(2 ** 30);
    const pair = openPair({ waiting });
    const { stream, accepted } = openStream(pair);
    accepted.log.isTaking = false;
    for (let count = 0; count < 5_000; count += 1) {
      stream.write(Buffer.of(count % 256));
      settle(pair.a, pair.b);
    }
    expect(waiting.bytes).toBe(5_000);
    accepted.log.isTaking = true;
    accepted.stream.resume();
    // The first piece was given at once; the others arrive merged.
    expect(accepted.log.chunks.length).toBeLessThan(30);
    expect(accepted.log.octets).toHaveLength(5_000);
  });
});

describe('what waits in the whole process', () => {
  it('is limited: the stream that has stalled longest is discarded, and can still be reset', () => {
    const waiting = new WaitingOctets(300_000);
    const pair = openPair({ waiting });
    const [first, second] = [openStream(pair), openStream(pair)];
    for (const { accepted, stream } of [first, second]) {
      accepted.log.isTaking = false;
      stream.write(Buffer.alloc(200_000));
      settle(pair.a, pair.b);
    }
    expect([first, second].map(({ accepted }) => accepted.log.failure)).toEqual([
      'discarded',
      undefined,
    ]);
    expect(waiting.bytes).toBe(200_000);
    first.accepted.stream.reset(StreamCode.INTERNAL_ERROR);
    settle(pair.a, pair.b);
    expect(first.log.failure).toBe('reset');
  });

  it('refuses new streams while it is nearly exhausted', () => {
    const pair = openPair({ waiting: new WaitingOctets(250_000) });
    const { accepted, stream } = openStream(pair);
    accepted.log.isTaking = false;
    stream.write(Buffer.alloc(200_000));
    settle(pair.a, pair.b);
    const log = new StreamLog();
    pair.a.channel.openStream(shortHead(true), log);
    settle(pair.a, pair.b);
    expect(log.failure).toBe('refused');
  });
});

describe('a body with a stated length', () => {
  const length = 40;

  it.each(Array.from({ length }, (_, cut) => cut))(
    'that is cut after %i of 40 octets is never released whole',
    (cut) => {
      const pair = openPair();
      const { stream, accepted } = openStream(pair);
      accepted.stream.expect(length);
      stream.write(Buffer.alloc(cut));
      stream.write(Buffer.alloc(length - cut));
      settle(pair.a, pair.b);
      expect(accepted.log.octets.length).toBeLessThan(length);
      pair.b.channel.break(new Error('cut'));
      expect(accepted.log.octets.length).toBeLessThan(length);
      expect([accepted.log.hasEnded, accepted.log.failure]).toEqual([false, 'broken']);
    },
  );

  it('is released whole by its end', () => {
    const pair = openPair();
    const { stream, accepted } = openStream(pair);
    accepted.stream.expect(length);
    stream.write(Buffer.alloc(length));
    settle(pair.a, pair.b);
    stream.end();
    settle(pair.a, pair.b);
    expect([accepted.log.octets.length, accepted.log.hasEnded]).toEqual([length, true]);
  });

  it.each([length - 1, length + 1])('of 40 octets fails with %i', (sent) => {
    const pair = openPair();
    const { stream, accepted } = openStream(pair);
    accepted.stream.expect(length);
    stream.end(Buffer.alloc(sent));
    settle(pair.a, pair.b);
    expect([accepted.log.hasEnded, accepted.log.failure]).toEqual([false, 'wrong-length']);
  });
});

describe('the place of a stream', () => {
  it('is taken until its exchange with the upstream has ended', () => {
    const pair = openPair({ maxConcurrentStreams: 1 });
    const { accepted, stream } = openStream(pair);
    stream.reset(StreamCode.CANCEL);
    settle(pair.a, pair.b);
    expect(accepted.log.failure).toBe('reset');
    expect(pair.a.channel.hasPlace).toBe(true);

    // One more is counted apart; the third has no place until the first two were released.
    const second = openStream(pair);
    second.stream.reset(StreamCode.CANCEL);
    settle(pair.a, pair.b);
    const third = openStream(pair);
    expect(third.log.failure).toBe('refused');
    accepted.stream.release();
    expect(openStream(pair).log.failure).toBeUndefined();
  });

  it('is free at the outbound end once the last record has left the socket', () => {
    const pair = openPair({ maxConcurrentStreams: 1 });
    const { accepted, stream } = openStream(pair);
    accepted.stream.start(shortHead(true));
    settle(pair.a, pair.b);
    stream.end(Buffer.from('late'));
    pair.a.transport.endTurn();
    expect(pair.a.channel.hasPlace).toBe(false);
    settle(pair.a, pair.b);
    expect(pair.a.channel.hasPlace).toBe(true);
  });
});

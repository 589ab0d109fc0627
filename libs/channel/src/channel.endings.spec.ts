import { describe, expect, it } from 'vitest';

import {
  openPair,
  openStream,
  settle,
  shortHead,
  StreamLog,
  type EndPair,
} from '../../../test/support/protocol/channel-ends.js';
import { RECORDS_PER_KEY, StreamCode } from './frame.js';

/** Two million records would take minutes. */
function useUpKeys({ a, b }: EndPair): void {
  for (const { channel } of [a, b]) {
    const { outgoing, incoming } = channel as unknown as {
      outgoing: { sealer: { index: number } };
      incoming: { opener: { index: number } };
    };
    outgoing.sealer.index = RECORDS_PER_KEY - 1;
    incoming.opener.index = RECORDS_PER_KEY - 1;
  }
}

describe('RST_STREAM of the inbound relay', () => {
  it.each([
    [StreamCode.REFUSED_STREAM, false, 'refused'],
    [StreamCode.PROTOCOL_ERROR, false, 'rejected'],
    [StreamCode.REFUSED_STREAM, true, 'reset'],
    [StreamCode.PROTOCOL_ERROR, true, 'reset'],
    [StreamCode.INTERNAL_ERROR, false, 'reset'],
    [99, false, 'reset'],
  ])('with code %i, and HEADERS before it: %s, means %s', (code, hasHead, failure) => {
    const pair = openPair();
    const { accepted, log } = openStream(pair);
    if (hasHead) {
      accepted.stream.start(shortHead());
      settle(pair.a, pair.b);
    }
    accepted.stream.reset(code);
    settle(pair.a, pair.b);
    expect(log.failure).toBe(failure);
  });

  it('with NO_ERROR behind its end says that the rest of the request is not wanted', () => {
    const pair = openPair();
    const { accepted, log } = openStream(pair);
    accepted.stream.start(shortHead());
    accepted.stream.end(Buffer.from('too large'));
    accepted.stream.reset(StreamCode.NO_ERROR);
    settle(pair.a, pair.b);
    expect(log).toMatchObject({ hasEnded: true, isUnwanted: true, failure: undefined });
    expect(pair.a.channel.streamCount).toBe(0);
  });
});

describe('HEADERS of a response', () => {
  it('are dropped if the outbound relay has reset the stream in the meantime', () => {
    const pair = openPair();
    const { accepted, stream, log } = openStream(pair);
    accepted.stream.start(shortHead(true));
    stream.reset(StreamCode.CANCEL);
    settle(pair.a, pair.b);
    expect([pair.a.told, log.head]).toEqual([['open'], undefined]);
  });
});

describe('a channel that drains', () => {
  it('proves which streams were not forwarded, and finishes the others', () => {
    const pair = openPair();
    const { accepted, log } = openStream(pair);
    pair.b.channel.goAway();
    const late = new StreamLog();
    const unsent = new StreamLog();
    pair.a.channel.openStream(shortHead(true), late);
    pair.a.transport.endTurn();
    pair.a.channel.openStream(shortHead(true), unsent);
    pair.b.transport.endTurn();
    pair.a.channel.receive(pair.b.transport.leave()!);
    expect([late.failure, unsent.failure]).toEqual(['not-forwarded', 'not-sent']);
    settle(pair.a, pair.b);
    expect(pair.b.accepted).toHaveLength(1);
    accepted.stream.start(shortHead());
    accepted.stream.end(Buffer.from('done'));
    settle(pair.a, pair.b);
    expect(log.octets.toString()).toBe('done');
    expect(pair.a.channel.hasPlace).toBe(false);
  });

  it('ends in order once it has no streams', () => {
    const pair = openPair();
    const { accepted, stream } = openStream(pair);
    pair.a.channel.finish();
    settle(pair.a, pair.b);
    expect(pair.a.told).toEqual(['open', 'draining']);
    stream.end();
    accepted.stream.start(shortHead(true));
    accepted.stream.release();
    settle(pair.a, pair.b);
    expect([pair.a.told.at(-1), pair.b.told.at(-1)]).toEqual(['end', 'end']);
  });
});

describe('a channel that breaks', () => {
  it('tells each stream whether its head was sent', () => {
    const pair = openPair();
    const { log } = openStream(pair);
    const unsent = new StreamLog();
    pair.a.channel.openStream(shortHead(), unsent);
    pair.a.channel.break(new Error('cut'));
    expect([log.failure, unsent.failure]).toEqual(['broken', 'not-sent']);
    expect(pair.a.channel.hasPlace).toBe(false);
  });
});

describe('a direction whose key has sealed 2^21 records', () => {
  it('goes on with the next key, and the channel is worn out', () => {
    const pair = openPair();
    const { accepted, stream, log } = openStream(pair);
    expect([pair.a.channel.isWornOut, pair.b.channel.isWornOut]).toEqual([false, false]);
    useUpKeys(pair);
    accepted.stream.start(shortHead());
    for (const text of ['last of the first key', 'first of the next', 'and on']) {
      stream.write(Buffer.from(text));
      accepted.stream.write(Buffer.from(text));
      settle(pair.a, pair.b);
    }

    expect(log.octets.toString()).toBe('last of the first keyfirst of the nextand on');
    expect(pair.a.channel.isWornOut).toBe(true);
    expect(pair.b.channel.isWornOut).toBe(true);
  });
});

describe('liveness', () => {
  it('sends PING after 20 s of silence, and is satisfied by the response', () => {
    const pair = openPair();
    for (let second = 0; second <= 300; second += 1) {
      pair.a.channel.checkLiveness(second * 1000);
      settle(pair.a, pair.b);
    }
    expect(pair.a.told).toEqual(['open']);
  });

  it('breaks a channel whose peer is silent for 10 s after the PING has left', () => {
    const { a } = openPair();
    let second = 0;
    while (!a.told.at(-1)!.startsWith('broken') && second < 100) {
      a.channel.checkLiveness(second * 1000);
      a.transport.endTurn();
      a.transport.leave();
      second += 1;
    }
    expect(a.told.at(-1)).toBe('broken: the peer is silent');
    expect(second - 1).toBe(31);
  });

  it('breaks a channel whose PING cannot leave the socket for 60 s', () => {
    const { a } = openPair();
    let second = 0;
    while (!a.told.at(-1)!.startsWith('broken') && second < 100) {
      a.channel.checkLiveness(second * 1000);
      a.transport.endTurn();
      second += 1;
    }
    expect(second - 1).toBe(80);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  inboundEnd,
  outboundEnd,
  settle,
  StreamLog,
} from '../../../test/support/protocol/channel-ends.js';
import { runs } from '../../../test/support/lifecycle/property.js';
import { StreamCode } from './frame.js';
import type { Stream } from './stream.js';
import { WaitingOctets } from './waiting-octets.js';

/** One step of a random history of two ends. Numbers choose among the streams that there are. */
type Step =
  | { readonly kind: 'open'; readonly isLast: boolean }
  | {
      readonly kind: 'write' | 'end';
      readonly from: 'a' | 'b';
      readonly at: number;
      readonly bytes: number;
    }
  | { readonly kind: 'respond' | 'reset' | 'release'; readonly at: number }
  | { readonly kind: 'take' | 'stall'; readonly at: number; readonly by: 'a' | 'b' }
  | { readonly kind: 'turn' | 'deliver'; readonly from: 'a' | 'b' };

const side = fc.constantFrom('a' as const, 'b' as const);
const at = fc.nat(7);
const bytes = fc.oneof(fc.nat(40), fc.nat(70_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), isLast: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('write' as const, 'end' as const),
      from: side,
      at,
      bytes,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('respond' as const, 'reset' as const, 'release' as const),
      at,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('take' as const, 'stall' as const),
      at,
      by: side,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('turn' as const, 'deliver' as const),
      from: side,
    }),
  },
);

/** What one stream was given at both ends, and has delivered. */
interface Story {
  readonly request: StreamLog;
  readonly stream: Stream;
  readonly isAlreadyEnded: boolean;
  sentByA: Buffer[];
  sentByB: Buffer[];
  hasEndedA: boolean;
  hasEndedB: boolean;
  hasResponded: boolean;
  wasReset: boolean;
}

/** Two ends over held transports, and the story of every stream. The head of a stream is its place in `stories`. */
class History {
  readonly waiting = new WaitingOctets(2 ** 30);
  readonly a = outboundEnd({ waiting: this.waiting, initialWindowBytes: 65_536 });
  readonly b = inboundEnd({
    waiting: this.waiting,
    initialWindowBytes: 65_536,
    maxConcurrentStreams: 5,
  });
  readonly stories: Story[] = [];
  private octet = 0;

  constructor() {
    settle(this.a, this.b);
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'open':
        this.open(step.isLast);
        break;
      case 'write':
      case 'end':
        this.send(step.kind, step.from, step.at, this.octets(step.bytes));
        break;
      case 'respond':
        this.respond(step.at);
        break;
      case 'reset':
        this.reset(step.at);
        break;
      case 'release':
        this.b.accepted[step.at]?.stream.release();
        break;
      case 'take':
      case 'stall':
        this.consume(step.at, step.by, step.kind === 'take');
        break;
      case 'turn':
        this[step.from].transport.endTurn();
        break;
      case 'deliver':
        this.deliver(step.from);
    }
  }

  /** Everything that can still happen happens. */
  finish(): void {
    this.b.accepted.forEach(({ stream }) => {
      stream.release();
    });
    for (let place = 0; place < this.stories.length; place += 1) {
      this.consume(place, 'a', true);
    }
    settle(this.a, this.b);
    for (let place = 0; place < this.stories.length; place += 1) {
      this.consume(place, 'b', true);
      this.b.accepted[place]?.stream.release();
    }
    settle(this.a, this.b);
  }

  acceptedOf(story: Story) {
    const place = this.stories.indexOf(story);
    return this.b.accepted.find(({ head }) => head.readUInt16BE(1) === place);
  }

  private open(isLast: boolean): void {
    if (!this.a.channel.hasPlace) {
      return;
    }
    const head = Buffer.alloc(3);
    head.writeUInt16BE(this.stories.length, 1);
    const request = new StreamLog();
    this.stories.push({
      request,
      stream: this.a.channel.openStream({ bytes: head, isLast, isUpgrade: false }, request),
      isAlreadyEnded: isLast,
      sentByA: [],
      sentByB: [],
      hasEndedA: isLast,
      hasEndedB: false,
      hasResponded: false,
      wasReset: false,
    });
  }

  private send(kind: 'write' | 'end', from: 'a' | 'b', place: number, octets: Buffer): void {
    const story = this.stories[place];
    const accepted = story && this.acceptedOf(story);
    if (story === undefined || story.wasReset) {
      return;
    }
    if (from === 'a' && !story.hasEndedA) {
      story.sentByA.push(octets);
      story.hasEndedA = kind === 'end';
      this.put(story.stream, kind, octets);
    } else if (from === 'b' && accepted && story.hasResponded && !story.hasEndedB) {
      story.sentByB.push(octets);
      story.hasEndedB = kind === 'end';
      this.put(accepted.stream, kind, octets);
    }
  }

  private put(stream: Stream, kind: 'write' | 'end', octets: Buffer): void {
    if (kind === 'end') {
      stream.end(octets);
    } else {
      stream.write(octets);
    }
  }

  private respond(place: number): void {
    const story = this.stories[place];
    const accepted = story && this.acceptedOf(story);
    if (story && accepted && !story.hasResponded) {
      story.hasResponded = true;
      accepted.stream.start({ bytes: Buffer.of(1, place), isLast: false, isUpgrade: false });
    }
  }

  private reset(place: number): void {
    const story = this.stories[place];
    if (story) {
      story.wasReset = true;
      story.stream.reset(StreamCode.CANCEL);
    }
  }

  private consume(place: number, by: 'a' | 'b', isTaking: boolean): void {
    const story = this.stories[place];
    const accepted = story && this.acceptedOf(story);
    const log = by === 'a' ? story?.request : accepted?.log;
    const stream = by === 'a' ? story?.stream : accepted?.stream;
    if (log !== undefined) {
      log.isTaking = isTaking;
      if (isTaking) {
        stream?.resume();
      }
    }
  }

  private deliver(from: 'a' | 'b'): void {
    const record = this[from].transport.leave();
    if (record !== undefined) {
      this[from].channel.drained();
      this[from === 'a' ? 'b' : 'a'].channel.receive(record);
    }
  }

  /** Octets that differ from those before, so that an octet in the wrong place shows. */
  private octets(length: number): Buffer {
    const octets = Buffer.alloc(length);
    for (let place = 0; place < length; place += 1) {
      this.octet = (this.octet + 7) % 251;
      octets[place] = this.octet;
    }
    return octets;
  }
}

const isPrefix = (part: Buffer, whole: Buffer): boolean =>
  part.length <= whole.length && whole.subarray(0, part.length).equals(part);

describe('in every interleaving of two ends', () => {
  it('each stream gets its octets in order and once, and all of them if it was not reset', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
        const history = new History();
        for (const one of steps) {
          history.take(one);
          for (const story of history.stories) {
            const accepted = history.acceptedOf(story);
            expect(isPrefix(story.request.octets, Buffer.concat(story.sentByB))).toBe(true);
            expect(
              accepted === undefined || isPrefix(accepted.log.octets, Buffer.concat(story.sentByA)),
            ).toBe(true);
          }
        }
        history.finish();
        expect([history.a.told, history.b.told]).toEqual([['open'], ['open']]);
        for (const story of history.stories.filter(({ wasReset }) => !wasReset)) {
          const { log } = history.acceptedOf(story)!;
          expect(log.octets.equals(Buffer.concat(story.sentByA))).toBe(true);
          expect(log.hasEnded).toBe(story.hasEndedA);
          expect(story.request.octets.equals(Buffer.concat(story.sentByB))).toBe(true);
          expect(story.request.hasEnded).toBe(story.hasEndedB);
        }
        expect(history.waiting.bytes).toBe(0);
      }),
      runs(60),
    );
  });

  it('the places of all streams that ended are free again', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const history = new History();
        steps.forEach((one) => {
          history.take(one);
        });
        history.finish();
        const open = history.stories.filter(
          ({ wasReset, hasEndedA, hasEndedB }) => !wasReset && !(hasEndedA && hasEndedB),
        );
        expect(history.a.channel.streamCount).toBe(open.length);
        history.a.channel.finish();
        open.forEach(({ stream }) => {
          stream.reset(StreamCode.CANCEL);
        });
        history.finish();
        expect([history.a.told.at(-1), history.b.told.at(-1)]).toEqual(['end', 'end']);
      }),
      runs(60),
    );
  });
});

import { MAX_CONTENT_BYTES } from './frame.js';
import type { RecordContent } from './record-content.js';

/** Octets of one stream in one turn while others wait. protocol.md section 11.4. */
const FAIR_SHARE_BYTES = 16_384;

/** The place of a stream in the order of turns; it is in the stream itself, for the reason that StreamTable gives. */
export interface Turn<S> {
  isWaiting: boolean;
  previous: S | undefined;
  next: S | undefined;
}

/** What takes turns. */
interface TurnTaker<S> {
  readonly turn: Turn<S>;
  /** Whether something of it can be put into a record now. */
  readonly isReady: boolean;
  /** Whether only a RST_STREAM is to be sent. */
  readonly isOnlyReset: boolean;
  /** Puts what fits into a record. @returns false if something is left for which it has no room */
  fill(content: RecordContent, mostOctets: number): boolean;
}

/** The streams that have something to send, each in its turn. protocol.md section 11.4. */
export class Turns<S extends TurnTaker<S>> {
  private first: S | undefined;
  private last: S | undefined;
  private count = 0;

  /** Whether any stream has something to send. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** The stream has something to send, or no longer. @returns whether it has */
  update(stream: S): boolean {
    const { isReady } = stream;
    if (isReady && !stream.turn.isWaiting) {
      this.append(stream);
    } else if (!isReady && stream.turn.isWaiting) {
      this.remove(stream);
    }
    return isReady;
  }

  /**
   * Gives each stream its turn, until the record is full or nothing is left.
   *
   * @param isBlocked - whether only RST_STREAM may be sent
   * @param prepare - called before the turn of a stream; false if the record has no room for its head
   * @returns the streams of which the record contains a frame
   */
  fill(content: RecordContent, isBlocked: boolean, prepare: (stream: S) => boolean): Set<S> {
    const filled = new Set<S>();
    let stream = this.first;
    while (stream !== undefined) {
      const { next } = stream.turn;
      if (isBlocked && !stream.isOnlyReset) {
        stream = next;
        continue;
      }
      if (!prepare(stream)) {
        break;
      }
      const share = this.count > 1 ? FAIR_SHARE_BYTES : MAX_CONTENT_BYTES;
      const room = content.room;
      const isDone = stream.fill(content, share);
      if (content.room < room) {
        filled.add(stream);
      }
      if (!isDone) {
        break;
      }
      this.remove(stream);
      const isReadyAgain = this.update(stream);
      stream = next ?? (isReadyAgain ? stream : undefined);
    }
    return filled;
  }

  private append(stream: S): void {
    const { turn } = stream;
    turn.isWaiting = true;
    turn.previous = this.last;
    if (this.last === undefined) {
      this.first = stream;
    } else {
      this.last.turn.next = stream;
    }
    this.last = stream;
    this.count += 1;
  }

  private remove(stream: S): void {
    const { turn } = stream;
    const { previous, next } = turn;
    if (previous === undefined) {
      this.first = next;
    } else {
      previous.turn.next = next;
    }
    if (next === undefined) {
      this.last = previous;
    } else {
      next.turn.previous = previous;
    }
    turn.isWaiting = false;
    turn.previous = undefined;
    turn.next = undefined;
    this.count -= 1;
  }
}

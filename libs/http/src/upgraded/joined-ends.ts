import { Deferred } from '../deferred.js';
import { IdleTimer } from '../idle-timer.js';
import type { OctetEnd, OctetEvents } from './octet-end.js';

/** How two joined ends came to their end. */
export interface JoinOutcome {
  /** Why both ends were reset; undefined if both directions ended in order. */
  readonly cause?: Error;
  /** The end that was lost, or took nothing for too long, if that was why. */
  readonly lost?: 'near' | 'far';
}

/** One direction: what arrives at an end is written to the other. */
class Direction {
  bytes = 0;
  isOver = false;
  private readonly stalled: IdleTimer;

  constructor(
    private readonly target: OctetEnd,
    stallTimeoutMs: number,
    private readonly onOver: () => void,
    onStalled: () => void,
  ) {
    this.stalled = new IdleTimer(stallTimeoutMs, onStalled);
  }

  carry(octets: Buffer): boolean {
    this.bytes += octets.length;
    const goesOn = this.target.write(octets);
    if (!goesOn) {
      this.stalled.touch();
    }
    return goesOn;
  }

  drained(): void {
    this.stalled.stop();
  }

  end(): void {
    this.stalled.touch();
    this.target.end(() => {
      this.isOver = true;
      this.stalled.stop();
      this.onOver();
    });
  }

  stop(): void {
    this.stalled.disable();
  }
}

/**
 * Joins two ends, so that what arrives at one leaves at the other, octet for octet, with back-pressure: also an end of one
 * direction, and a reset. Silence is not limited, but a receiver that takes nothing for too long is.
 */
export class JoinedEnds {
  private readonly outcome = new Deferred<JoinOutcome>();
  private readonly forth: Direction;
  private readonly back: Direction;
  private isOver = false;

  /** @param stallTimeoutMs - the longest time for which a receiver may take nothing; 0: no limit */
  constructor(
    private readonly near: OctetEnd,
    private readonly far: OctetEnd,
    stallTimeoutMs: number,
  ) {
    const onOver = (): void => {
      if (this.forth.isOver && this.back.isOver) {
        this.settle({});
      }
    };
    const onStalled = (lost: 'near' | 'far'): void => {
      this.giveUp({ cause: new Error(`a receiver took nothing for ${stallTimeoutMs} ms`), lost });
    };
    this.forth = new Direction(far, stallTimeoutMs, onOver, () => {
      onStalled('far');
    });
    this.back = new Direction(near, stallTimeoutMs, onOver, () => {
      onStalled('near');
    });
  }

  /** Octets that went from the near end to the far one, and back. */
  get bytes(): { readonly forth: number; readonly back: number } {
    return { forth: this.forth.bytes, back: this.back.bytes };
  }

  /** How it ended, once it has. It never rejects. */
  get over(): Promise<JoinOutcome> {
    return this.outcome.promise;
  }

  /** Begins. */
  run(): void {
    this.far.listen(this.events(this.far, this.back, this.near, this.forth));
    this.near.listen(this.events(this.near, this.forth, this.far, this.back));
  }

  /** Resets both ends. */
  reset(cause: Error): void {
    this.giveUp({ cause });
  }

  private giveUp(outcome: JoinOutcome): void {
    if (this.isOver) {
      return;
    }
    this.settle(outcome);
    this.near.reset();
    this.far.reset();
  }

  private settle(outcome: JoinOutcome): void {
    this.isOver = true;
    this.forth.stop();
    this.back.stop();
    this.outcome.resolve(outcome);
  }

  private events(
    end: OctetEnd,
    arriving: Direction,
    other: OctetEnd,
    leaving: Direction,
  ): OctetEvents {
    return {
      onData: (octets) => this.isOver || arriving.carry(octets),
      onEnd: () => {
        if (!this.isOver) {
          arriving.end();
        }
      },
      onDrain: () => {
        leaving.drained();
        other.resume();
      },
      onLost: (cause) => {
        this.giveUp({ cause, lost: end === this.near ? 'near' : 'far' });
      },
    };
  }
}

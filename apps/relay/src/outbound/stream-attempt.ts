import {
  StreamCode,
  type OutboundStreamEvents,
  type Stream,
  type StreamFailure,
} from '@relay/channel';
import { Deferred, IdleTimer, isEventStream, type ExchangeFailure } from '@relay/http';
import { bodyBytesOf, checkResponseHead, decodeResponseHead } from '@relay/protocol';

import type { PeerChannel } from '../peers/peer-channel.js';
import type {
  AttemptBody,
  AttemptContext,
  AttemptOutcome,
  TunnelAttempt,
} from './tunnel-attempt.js';

const SWITCHING_PROTOCOLS = 101;
const EMPTY = Buffer.alloc(0);

/** An upgrade that a client has asked for. */
export interface AskedUpgrade {
  /**
   * Passes the connection of the client on to the stream, behind the 101 of the other side.
   *
   * @param head - of the 101, as the peer has sent it
   * @throws HeadInvalidError if it is not the head of a 101 with the protocol that was asked for
   */
  accept(head: Buffer, stream: Stream): void;
}

/** One stream of a channel: the request is sent on it, and its response written to the client. protocol.md section 11.3. */
export class StreamAttempt implements TunnelAttempt, OutboundStreamEvents {
  readonly reservation = undefined;
  private readonly outcome = new Deferred<AttemptOutcome>();
  private readonly stream: Stream;
  private readonly silence: IdleTimer;
  private readonly stalled: IdleTimer;
  private responseTimer: NodeJS.Timeout | undefined;
  private status: number | undefined;
  private isOver = false;
  /** Octets that are written with what follows them in the same record. */
  private pending: Buffer | undefined;
  private isFlushDue = false;
  private isFull = false;
  private drained: Deferred<void> | undefined;
  private sentBytes: number;
  private receivedBytes = 0;

  /**
   * Takes a place of the channel, which must have one.
   *
   * @param body - of the request; a Buffer if an upgrade is asked for
   */
  constructor(
    private readonly context: Omit<AttemptContext, 'address'>,
    private readonly channel: PeerChannel,
    private readonly body: AttemptBody,
    private readonly upgrade?: AskedUpgrade,
  ) {
    const { limits, request } = context;
    this.silence = new IdleTimer(limits.idleTimeoutMs, () => {
      this.giveUp('idle', new Error(`silence of ${limits.idleTimeoutMs} ms within the response`));
    });
    this.stalled = new IdleTimer(limits.idleTimeoutMs, () => {
      this.giveUp('idle', new Error('the receiver has stopped reading the request'));
    });
    this.sentBytes = request.headBytes.length;
    const isUpgrade = upgrade !== undefined;
    const isLast = Buffer.isBuffer(body) && body.length === 0 && !isUpgrade;
    this.stream = channel.openStream({ bytes: request.headBytes, isLast, isUpgrade }, this);
  }

  get exchange(): string {
    const { id } = this.stream;
    return id === 0 ? this.channel.exchange : `${this.channel.exchange}.${id}`;
  }

  get sealedBytes(): { readonly out: number; readonly in: number } {
    return { out: this.sentBytes, in: this.receivedBytes };
  }

  run(): Promise<AttemptOutcome> {
    if (Buffer.isBuffer(this.body)) {
      if (this.body.length > 0) {
        this.sentBytes += this.body.length;
        if (this.upgrade === undefined) {
          this.stream.end(this.body);
        } else {
          this.stream.write(this.body);
        }
      }
      this.awaitResponse();
    } else {
      void this.send(this.body);
    }
    return this.outcome.promise;
  }

  resume(): void {
    this.isFull = false;
    this.silence.touch();
    this.stream.resume();
  }

  abort(reason: Error): void {
    this.giveUp('aborted', reason);
  }

  onHead(bytes: Buffer, isLast: boolean, isUpgrade: boolean): void {
    clearTimeout(this.responseTimer);
    this.receivedBytes += bytes.length;
    try {
      if (isUpgrade) {
        this.upgrade?.accept(bytes, this.stream);
        this.settle({ kind: 'completed', status: SWITCHING_PROTOCOLS });
        return;
      }
      const head = decodeResponseHead(bytes);
      checkResponseHead(head);
      const { request, response } = this.context;
      this.stream.expect(bodyBytesOf(head, request.head.method));
      this.status = head.status;
      response.start(head);
      if (isEventStream(head.fields)) {
        this.silence.disable();
      }
    } catch (cause) {
      this.stream.reset(StreamCode.PROTOCOL_ERROR);
      this.settle({ kind: 'given-up', cause: cause as Error });
      return;
    }
    if (this.upgrade !== undefined) {
      // The other side has not switched protocols: nothing of this side follows.
      this.stream.end();
    }
    if (!isLast) {
      this.flushLater();
    }
  }

  onData(octets: Buffer): boolean {
    this.receivedBytes += octets.length;
    this.flushPending();
    this.pending = octets;
    this.flushLater();
    return !this.isFull;
  }

  onEnd(): void {
    const { pending = EMPTY } = this;
    this.pending = undefined;
    this.context.response.end(pending);
    // Whatever is left of the request is not wanted; nothing, if all of it was sent.
    this.stream.reset(StreamCode.CANCEL);
    this.settle({ kind: 'completed', status: this.status ?? 0 });
  }

  onDrain(): void {
    this.stalled.stop();
    this.drained?.resolve();
  }

  onUnwanted(): void {
    // The response has ended by then, and with it this attempt.
  }

  onFailure(failure: StreamFailure, cause?: Error): void {
    if (this.status !== undefined) {
      this.stream.reset(failure === 'wrong-length' ? StreamCode.PROTOCOL_ERROR : StreamCode.CANCEL);
      this.cutOff(cause ?? failureCause(failure));
      return;
    }
    switch (failure) {
      case 'not-sent':
      case 'not-forwarded':
      case 'refused':
      case 'rejected':
        this.settle({ kind: 'unforwarded', reason: failure });
        return;
      case 'broken':
        this.settle({ kind: 'failed', failure: this.failure('reset', failureCause(failure)) });
        return;
      case 'reset':
      case 'stalled':
      case 'wrong-length':
      case 'discarded':
        this.settle({ kind: 'given-up', cause: failureCause(failure) });
    }
  }

  /** Sends a body as it arrives. It never rejects. */
  private async send(body: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of body) {
        if (this.isOver) {
          return;
        }
        this.sentBytes += chunk.length;
        if (!this.stream.write(chunk)) {
          this.drained = new Deferred<void>();
          this.stalled.touch();
          await this.drained.promise;
        }
      }
      if (!this.isOver) {
        this.stream.end();
        this.awaitResponse();
      }
    } catch (error) {
      this.giveUp('aborted', error as Error);
    }
  }

  /** The whole request has been handed over. */
  private awaitResponse(): void {
    if (this.isOver || this.status !== undefined) {
      return;
    }
    const { responseTimeoutMs } = this.context.limits;
    this.responseTimer = setTimeout(() => {
      this.giveUp('response-timeout', new Error(`no response within ${responseTimeoutMs} ms`));
    }, responseTimeoutMs);
  }

  /** At the end of this record: most responses are complete by then, and leave in one write. */
  private flushLater(): void {
    if (this.isFlushDue) {
      return;
    }
    this.isFlushDue = true;
    queueMicrotask(() => {
      this.isFlushDue = false;
      if (this.isOver) {
        return;
      }
      if (this.pending === undefined) {
        this.context.response.flushHead();
      }
      this.flushPending();
      if (this.isFull) {
        this.silence.stop();
      } else {
        this.silence.touch();
      }
    });
  }

  private flushPending(): void {
    const { pending } = this;
    if (pending !== undefined) {
      this.pending = undefined;
      this.isFull = !this.context.response.write(pending);
    }
  }

  private giveUp(kind: ExchangeFailure['kind'], cause: Error): void {
    if (this.isOver) {
      return;
    }
    const failure = this.failure(kind, cause);
    this.stream.reset(StreamCode.CANCEL);
    if (this.status === undefined) {
      this.settle({ kind: 'failed', failure });
    } else {
      this.cutOff(cause);
    }
  }

  /** The response has begun and cannot be completed. */
  private cutOff(cause: Error): void {
    this.context.response.reset();
    this.settle({ kind: 'cut-off', cause });
  }

  private failure(kind: ExchangeFailure['kind'], cause: Error): ExchangeFailure {
    return { kind, wasSent: this.stream.id !== 0, hasHead: false, cause };
  }

  private settle(outcome: AttemptOutcome): void {
    this.isOver = true;
    clearTimeout(this.responseTimer);
    this.silence.stop();
    this.stalled.stop();
    this.drained?.resolve();
    this.outcome.resolve(outcome);
  }
}

function failureCause(failure: StreamFailure): Error {
  if (failure === 'broken') {
    return new Error('the channel to the other relay broke');
  }
  return failure === 'discarded'
    ? new Error('the client reads too slowly: CHANNEL_BUFFER_BYTES is used up')
    : new Error('the other relay gave the request up');
}

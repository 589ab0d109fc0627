import type { ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { IdleTimer, ResponseSink, clientFields, maxHoldMs, withReplacedFields } from '@relay/http';
import type { ResponseHead } from '@relay/protocol';

/** The client's answer, as it is opened. Once it has started it can only be finished or reset. */
export class ClientAnswer {
  private readonly sink: ResponseSink;
  private isHeadSent = false;

  /** @param onDrain - writing may go on */
  constructor(
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
    private readonly requestId: string,
    onDrain: () => void,
  ) {
    this.sink = new ResponseSink(response, config.idleTimeoutMs, onDrain);
  }

  /** Of the body, as it was written so far. */
  get bytes(): number {
    return this.sink.bytes;
  }

  get isStarted(): boolean {
    return this.sink.isStarted;
  }

  start(head: ResponseHead): void {
    const fields = clientFields(head.fields, this.config);
    this.sink.start(
      head.status,
      this.config.debug ? withReplacedFields(fields, [['x-request-id', this.requestId]]) : fields,
    );
  }

  /** Sends the head by itself where no body has gone with it yet. */
  flushHead(): void {
    if (!this.isHeadSent) {
      this.isHeadSent = true;
      this.sink.flushHead();
    }
  }

  /** @returns false where the client should be waited for */
  write(content: Buffer): boolean {
    this.isHeadSent = true;
    return this.sink.write(content);
  }

  end(content: Buffer): void {
    this.sink.end(content.length === 0 ? undefined : content);
  }

  /** Writes a whole answer that was held back, to a client that does not take too long to read it. */
  endHeld(content: Buffer): void {
    const tooSlow = new IdleTimer(maxHoldMs(this.config.idleTimeoutMs), () => {
      this.reset();
    });
    tooSlow.touch();
    this.onceClosed(() => {
      tooSlow.stop();
    });
    this.end(content);
  }

  /** Calls back when nothing of the answer is left here, at once where that is so already. */
  onceClosed(callback: () => void): void {
    if (this.response.destroyed) {
      callback();
    } else {
      this.response.once('close', callback);
    }
  }

  reset(): void {
    this.sink.reset();
  }
}

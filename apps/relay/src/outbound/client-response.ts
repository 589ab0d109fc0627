import type { ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { withReplacedFields } from '@relay/fields';
import { IdleTimer, ResponseWriter } from '@relay/http';
import type { ResponseHead } from '@relay/protocol';

import { maxBufferMs } from '../admission/message-buffer.js';
import { clientFields } from '../client/client-fields.js';

/** The response to a client, written as the peer's message is opened. Once it has started it can only be completed or reset. */
export class ClientResponse {
  private readonly writer: ResponseWriter;
  private isHeadSent = false;

  /** @param onDrain - called when writing may continue */
  constructor(
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
    private readonly requestId: string,
    onDrain: () => void,
  ) {
    this.writer = new ResponseWriter(response, config.idleTimeoutMs, onDrain);
  }

  /** Bytes of the body that have been written so far. */
  get bytes(): number {
    return this.writer.bytes;
  }

  /** Whether the head has been written, so that no other response can be sent. */
  get isStarted(): boolean {
    return this.writer.isStarted;
  }

  /** The status, once the head has been written. */
  get status(): number | undefined {
    return this.isStarted ? this.response.statusCode : undefined;
  }

  start(head: ResponseHead): void {
    const fields = clientFields(head.fields, this.config.tunnelResponseHeaders, this.config);
    this.writer.start(
      head.status,
      this.config.debug ? withReplacedFields(fields, [['x-request-id', this.requestId]]) : fields,
    );
  }

  /** Sends the head alone if no body has been sent with it yet. */
  flushHead(): void {
    if (!this.isHeadSent) {
      this.isHeadSent = true;
      this.writer.flushHead();
    }
  }

  /** @returns false if no more should be written until `onDrain` is called */
  write(content: Buffer): boolean {
    this.isHeadSent = true;
    return this.writer.write(content);
  }

  end(content: Buffer): void {
    this.writer.end(content.length === 0 ? undefined : content);
  }

  /** Writes the whole body of a buffered response, and resets the connection if the client takes too long to read it. */
  endBuffered(parts: readonly Buffer[]): void {
    const tooSlow = new IdleTimer(maxBufferMs(this.config.idleTimeoutMs), () => {
      this.reset();
    });
    tooSlow.touch();
    this.onceClosed(() => {
      tooSlow.stop();
    });
    this.writer.endWith(parts);
  }

  /** Calls back once nothing of the response is left in this process; immediately if that is already so. */
  onceClosed(callback: () => void): void {
    if (this.response.destroyed) {
      callback();
    } else {
      this.response.once('close', callback);
    }
  }

  /** Resets the connection: the client must not take what it has received for a whole response. */
  reset(): void {
    this.writer.reset();
  }
}

import {
  BodyLength,
  MessageOpener,
  bodyBytesOf,
  checkResponseHead,
  decodeResponseHead,
  type MessageType,
  type ResponseHead,
} from '@relay/protocol';

import type { BufferBudget } from '../admission/buffer-budget.js';
import { MessageBuffer } from '../admission/message-buffer.js';
import type { ClientResponse } from './client-response.js';

const EMPTY = Buffer.alloc(0);

/**
 * Opens the peer's message into the response to the client: record by record (mke), or as a whole (mte). The content of the
 * last record is released only at the end of the outer response, because bytes after that record make the message invalid.
 * protocol.md section 6.
 */
export class ResponseOpener {
  private readonly opener: MessageOpener;
  private readonly buffer: MessageBuffer | undefined;
  private head: ResponseHead | undefined;
  private bodyLength = new BodyLength(undefined);
  private lastContent: Buffer = EMPTY;

  /**
   * @param key - from deriveResponseKey, used by no other opener
   * @param method - of the client's request, which decides whether its response has a body
   */
  constructor(
    key: Buffer,
    type: MessageType,
    private readonly method: string,
    private readonly response: ClientResponse,
    bufferBudget: BufferBudget,
  ) {
    this.opener = new MessageOpener(key);
    this.buffer = type === 'mte' ? new MessageBuffer(bufferBudget) : undefined;
  }

  /** The head, or undefined while it has not been opened. */
  get openedHead(): ResponseHead | undefined {
    return this.head;
  }

  /**
   * @param chunk - the next bytes of the outer response
   * @returns false if the peer should be paused until the client has caught up
   * @throws any error of the message; the response must not be completed then
   */
  push(chunk: Buffer): boolean {
    let isReady = true;
    for (const { content, isLast } of this.opener.push(chunk)) {
      if (this.head === undefined) {
        this.startWith(content);
        continue;
      }
      this.bodyLength.take(content.length);
      if (this.buffer !== undefined) {
        this.buffer.add(content);
      } else if (isLast) {
        this.lastContent = content;
      } else {
        isReady = this.response.write(content);
      }
    }
    if (this.response.isStarted && !this.opener.isComplete) {
      this.response.flushHead();
    }
    return isReady;
  }

  /**
   * The outer response has ended.
   *
   * @throws MessageTruncatedError if the last record is missing, or the body is shorter than its head states
   */
  end(): void {
    this.opener.finish();
    this.bodyLength.end();
    if (this.buffer !== undefined && this.head !== undefined) {
      this.response.start(this.head);
      // The budget stays taken for as long as a slow client leaves the body in this process.
      this.response.onceClosed(() => {
        this.release();
      });
      this.response.endBuffered(this.buffer.takeParts());
    } else {
      this.response.end(this.lastContent);
    }
  }

  /** Discards what is buffered. It may be called again. */
  release(): void {
    this.buffer?.release();
  }

  private startWith(content: Buffer): void {
    const head = decodeResponseHead(content);
    checkResponseHead(head);
    this.head = head;
    this.bodyLength = new BodyLength(bodyBytesOf(head, this.method));
    if (this.buffer === undefined) {
      this.response.start(head);
    }
  }
}

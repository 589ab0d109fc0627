import { BodyLength, MessageHold, bodyBytesOf, type HoldBudget } from '@relay/http';
import {
  MessageOpener,
  checkResponseHead,
  decodeResponseHead,
  type MessageType,
  type ResponseHead,
} from '@relay/protocol';

import type { ClientAnswer } from './client-answer.js';

const NO_CONTENT = Buffer.alloc(0);

/**
 * Opens the peer's message into the client's answer: record by record (mke), or whole (mte). The last content waits for
 * the end of the outer answer, since what is appended to a message makes it another one. protocol.md section 6.
 */
export class SealedAnswer {
  private readonly opener: MessageOpener;
  private readonly hold: MessageHold | undefined;
  private head: ResponseHead | undefined;
  private bodyLength = new BodyLength(undefined);
  private lastContent: Buffer = NO_CONTENT;

  constructor(
    key: Buffer,
    type: MessageType,
    private readonly method: string,
    private readonly answer: ClientAnswer,
    holdBudget: HoldBudget,
  ) {
    this.opener = new MessageOpener(key);
    this.hold = type === 'mte' ? new MessageHold(holdBudget) : undefined;
  }

  /** The opened head, as soon as it is. */
  get openedHead(): ResponseHead | undefined {
    return this.head;
  }

  /**
   * @returns false where the client should be waited for
   * @throws any error of the message: the answer may not be finished then
   */
  push(chunk: Buffer): boolean {
    let isReady = true;
    for (const { content, isLast } of this.opener.push(chunk)) {
      if (this.head === undefined) {
        this.startWith(content);
        continue;
      }
      this.bodyLength.take(content.length);
      if (this.hold !== undefined) {
        this.hold.add(content);
      } else if (isLast) {
        this.lastContent = content;
      } else {
        isReady = this.answer.write(content);
      }
    }
    if (this.answer.isStarted && !this.opener.isComplete) {
      this.answer.flushHead();
    }
    return isReady;
  }

  /** The outer answer has ended. @throws MessageTruncatedError, also where the body is shorter than its head states */
  end(): void {
    this.opener.finish();
    this.bodyLength.end();
    if (this.hold !== undefined && this.head !== undefined) {
      this.answer.start(this.head);
      // The budget stays taken for as long as a slow client leaves the body with us.
      this.answer.onceClosed(() => {
        this.release();
      });
      this.answer.endHeld(this.hold.whole());
    } else {
      this.answer.end(this.lastContent);
    }
  }

  /** Gives back what was held; may be called again. */
  release(): void {
    this.hold?.release();
  }

  private startWith(content: Buffer): void {
    const head = decodeResponseHead(content);
    checkResponseHead(head);
    this.head = head;
    this.bodyLength = new BodyLength(bodyBytesOf(head, this.method));
    if (this.hold === undefined) {
      this.answer.start(head);
    }
  }
}

import type { IncomingMessage } from 'node:http';

import { fieldValue } from '@relay/fields';
import { BodyIdleError, BodyReader, IdleTimer } from '@relay/http';
import {
  BodyLength,
  MessageOpener,
  RecordMalformedError,
  checkRequestHead,
  decodeRequestHead,
  type OpenedRecord,
  type RequestHead,
} from '@relay/protocol';

import { MessageTooSlowError } from '../admission/admission.errors.js';
import type { BufferBudget } from '../admission/buffer-budget.js';
import { MessageBuffer, maxBufferMs } from '../admission/message-buffer.js';
import type { RequestSource } from './opened-request.js';

const FIRST_RECORD_TIMEOUT_MS = 10_000;

/** Opens the message that a tunnel request carries, record by record. protocol.md sections 6 and 7. */
export class RequestOpener implements RequestSource {
  private readonly opener: MessageOpener;
  private readonly reader: BodyReader;
  private readonly opened: OpenedRecord[] = [];
  private openedBytes = 0;
  private headBytes = 0;
  /** The head's content-length, if it has one. */
  private statedBytes: number | undefined;

  constructor(
    key: Buffer,
    request: IncomingMessage,
    private readonly idleTimeoutMs: number,
  ) {
    this.opener = new MessageOpener(key);
    this.reader = new BodyReader(request, idleTimeoutMs);
  }

  /** @throws any error of the message, its records or its head; nothing may be forwarded then */
  async readHead(): Promise<{ readonly head: RequestHead; readonly hasBody: boolean }> {
    const record = await this.firstRecord();
    this.headBytes = record.content.length;
    const head = decodeRequestHead(record.content);
    checkRequestHead(head);
    const stated = fieldValue(head.fields, 'content-length');
    this.statedBytes = stated === undefined ? undefined : Number(stated);
    return { head, hasBody: !record.isLast };
  }

  /**
   * The whole body if all of it has arrived with the head, otherwise undefined. Call it before `body`.
   *
   * @throws RecordMalformedError, MessageTruncatedError if the body does not have the length that its head states
   */
  wholeBodyAtHand(): Buffer | undefined {
    const [only, ...others] = this.opened;
    if (only?.isLast !== true || others.length > 0 || !this.reader.isAtEnd) {
      return undefined;
    }
    const length = new BodyLength(this.statedBytes);
    length.take(only.content.length);
    length.end();
    return only.content;
  }

  /**
   * Buffers the whole body, and returns it only after its last record has been verified.
   *
   * @throws MessageTooLargeError, MessageTooSlowError, RelayBusyError, or any error of the message
   */
  async readWholeBody(budget: BufferBudget): Promise<MessageBuffer> {
    const buffer = new MessageBuffer(budget);
    const limitMs = maxBufferMs(this.idleTimeoutMs);
    const tooSlow = new IdleTimer(limitMs, () => {
      this.reader.cancel(
        new MessageTooSlowError(`the message is not complete after ${limitMs} ms`),
      );
    });
    tooSlow.touch();
    try {
      for await (const chunk of this.body()) {
        buffer.add(chunk);
      }
      return buffer;
    } catch (error) {
      buffer.release();
      throw error;
    } finally {
      tooSlow.stop();
    }
  }

  /**
   * Yields the body record by record. The content that completes the stated length is withheld until the last record has been
   * verified: otherwise the upstream would have the whole request before its end is known to be authentic.
   *
   * @throws any error of the message, including a body that does not have the length that its head states
   */
  async *body(): AsyncGenerator<Buffer> {
    const length = new BodyLength(this.statedBytes);
    let isLast = false;
    while (!isLast) {
      const { content, ...record } = await this.nextRecord();
      length.take(content.length);
      isLast = record.isLast || (length.isReached && (await this.endsEmpty()));
      if (isLast) {
        length.end();
      }
      if (content.length > 0) {
        yield content;
      }
    }
  }

  /** Bytes of the body that have been opened so far. */
  get bytes(): number {
    return this.openedBytes - this.headBytes;
  }

  /** Bytes of the message that have been read so far. */
  get sealedBytes(): number {
    return this.reader.bytes;
  }

  cancel(reason: Error): void {
    this.reader.cancel(reason);
  }

  /** Most heads arrive together with their request. A timer is started only if the head has not arrived yet. */
  private async firstRecord(): Promise<OpenedRecord> {
    const atHand = this.reader.readNow();
    if (atHand !== undefined) {
      this.open(atHand);
    }
    const [first] = this.opened;
    if (first !== undefined && (!first.isLast || this.reader.isAtEnd)) {
      return this.nextRecord();
    }
    const timer = setTimeout(() => {
      this.reader.cancel(new BodyIdleError(`no head within ${FIRST_RECORD_TIMEOUT_MS} ms`));
    }, FIRST_RECORD_TIMEOUT_MS);
    try {
      return await this.nextRecord();
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws RecordMalformedError if anything other than an empty last record follows */
  private async endsEmpty(): Promise<true> {
    const { content, isLast } = await this.nextRecord();
    if (content.length > 0 || !isLast) {
      throw new RecordMalformedError('the message is longer than its head states');
    }
    return true;
  }

  private async nextRecord(): Promise<OpenedRecord> {
    for (;;) {
      const record = this.opened.shift();
      if (record !== undefined) {
        if (record.isLast) {
          await this.expectEnd();
        }
        return record;
      }
      const chunk = await this.reader.next();
      if (chunk === undefined) {
        this.opener.finish();
      } else {
        this.open(chunk);
      }
    }
  }

  private open(chunk: Buffer): void {
    for (const record of this.opener.push(chunk)) {
      this.openedBytes += record.content.length;
      this.opened.push(record);
    }
  }

  /** The last record is released only at the end of the body, because bytes after it make the message invalid. */
  private async expectEnd(): Promise<void> {
    if ((await this.reader.next()) !== undefined) {
      throw new RecordMalformedError('bytes follow the last record');
    }
  }
}

import { fieldValue } from '@relay/fields';

import type { ResponseHead } from './message-head.js';
import { MessageTruncatedError, RecordMalformedError } from './protocol.errors.js';

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * The length of the body that follows a response head: 0 if there is no body, undefined if only its end shows the length.
 * RFC 9112 section 6.3.
 */
export function bodyBytesOf(head: ResponseHead, method: string): number | undefined {
  if (method === 'HEAD' || head.status === NO_CONTENT || head.status === NOT_MODIFIED) {
    return 0;
  }
  const stated = fieldValue(head.fields, 'content-length');
  return stated === undefined ? undefined : Number(stated);
}

/**
 * Refuses a body that does not have the length stated in its head: on the next connection, the receiver would wait for what
 * is missing, and would read what is too much as another message. protocol.md section 6.
 */
export class BodyLength {
  /** @param missing - bytes that the head states; undefined if it states none */
  constructor(private missing: number | undefined) {}

  /** Whether the body has the length that was stated, and nothing more may follow. */
  get isReached(): boolean {
    return this.missing === 0;
  }

  /** To be called before these bytes are forwarded. @throws RecordMalformedError if they are more than was stated */
  take(bytes: number): void {
    if (this.missing === undefined) {
      return;
    }
    this.missing -= bytes;
    if (this.missing < 0) {
      throw new RecordMalformedError('the body is longer than its content-length');
    }
  }

  /** To be called at the end of the body. @throws MessageTruncatedError if it is shorter than was stated */
  end(): void {
    if (this.missing !== undefined && this.missing > 0) {
      throw new MessageTruncatedError('the body is shorter than its content-length');
    }
  }
}

import { fieldValue } from '@relay/fields';

import type { ResponseHead } from './message-head.js';
import { MessageTruncatedError, RecordMalformedError } from './protocol.errors.js';

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Length of the body that follows a response head, 0 where none does, undefined where only its end will tell. RFC 9112
 * section 6.3.
 */
export function bodyBytesOf(head: ResponseHead, method: string): number | undefined {
  if (method === 'HEAD' || head.status === NO_CONTENT || head.status === NOT_MODIFIED) {
    return 0;
  }
  const stated = fieldValue(head.fields, 'content-length');
  return stated === undefined ? undefined : Number(stated);
}

/**
 * Holds a body to the length that its head states: on the next connection, what is missing would be waited for, and
 * what is too much would be read as another message. protocol.md section 6.
 */
export class BodyLength {
  /** @param missing - bytes that the head states; undefined where it states none */
  constructor(private missing: number | undefined) {}

  /** Whether the body has the length that was stated, and nothing more may follow. */
  get isReached(): boolean {
    return this.missing === 0;
  }

  /** To be called before these bytes go on. @throws RecordMalformedError where they are more than was stated */
  take(bytes: number): void {
    if (this.missing === undefined) {
      return;
    }
    this.missing -= bytes;
    if (this.missing < 0) {
      throw new RecordMalformedError('the body is longer than its content-length');
    }
  }

  /** To be called at the end of the body. @throws MessageTruncatedError where it is shorter than was stated */
  end(): void {
    if (this.missing !== undefined && this.missing > 0) {
      throw new MessageTruncatedError('the body is shorter than its content-length');
    }
  }
}

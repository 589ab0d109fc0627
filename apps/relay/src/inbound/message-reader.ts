import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import {
  HoldBudget,
  MessageTooLargeError,
  MessageTooSlowError,
  RelayBusyError,
  type MessageHold,
} from '@relay/http';
import { deriveRequestKey, type RelayError, type RequestHead } from '@relay/protocol';
import type { OpenSession } from '@relay/session';
import type { VerifiedTunnelRequest } from '@relay/signature';

import { RouteRule } from './route-rule.js';
import { SealedRequest } from './sealed-request.js';

/** A message that was read as far as it has to be before its sequence number is burnt. */
export interface ReadMessage {
  readonly head: RequestHead;
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
  /** Where the body comes from: told to stop when nobody wants it any more. */
  readonly sealed: SealedRequest;
  /** What was held back of an MTE message, to be released at the end. */
  readonly hold?: MessageHold;
  /** Why an authentic message is answered here instead of being forwarded. */
  readonly refusal?: RelayError;
}

/** Opens messages: the head of an MKE message, the whole of an MTE message. protocol.md sections 6 and 7. */
@Injectable()
export class MessageReader {
  constructor(
    private readonly config: RelayConfig,
    private readonly holdBudget: HoldBudget,
    private readonly routeRule: RouteRule,
  ) {}

  /** @throws any error of the message: nothing of it may be forwarded then */
  async read(
    { header }: VerifiedTunnelRequest,
    session: OpenSession,
    message: IncomingMessage,
  ): Promise<ReadMessage> {
    const key = deriveRequestKey(session.keys, header.raw);
    const sealed = new SealedRequest(key, message, this.config.idleTimeoutMs);
    const { head, hasBody } = await sealed.readHead();
    const refusal = this.routeRule.refusalOf(head.path);
    if (refusal !== undefined) {
      return { head, body: undefined, sealed, refusal };
    }
    if (!hasBody) {
      return { head, body: undefined, sealed };
    }
    return header.type === 'mte'
      ? this.readWhole(head, sealed)
      : { head, body: sealed.wholeBodyAtHand() ?? sealed.body(), sealed };
  }

  private async readWhole(head: RequestHead, sealed: SealedRequest): Promise<ReadMessage> {
    try {
      const hold = await sealed.readWholeBody(this.holdBudget);
      return { head, body: hold.whole(), sealed, hold };
    } catch (error) {
      if (isRefusal(error)) {
        return { head, body: undefined, sealed, refusal: error };
      }
      throw error;
    }
  }
}

/** Whether the message is authentic so far, and only too much or too slow. */
function isRefusal(error: unknown): error is RelayError {
  return (
    error instanceof MessageTooLargeError ||
    error instanceof MessageTooSlowError ||
    error instanceof RelayBusyError
  );
}

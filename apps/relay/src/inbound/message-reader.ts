import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { connectionAuthRefusal } from '@relay/http';
import {
  deriveProof,
  deriveRequestKey,
  type RequestHead,
  type TunnelHeader,
} from '@relay/protocol';
import { SessionService, type OpenSession } from '@relay/session';

import {
  MessageTooLargeError,
  MessageTooSlowError,
  RelayBusyError,
} from '../admission/admission.errors.js';
import { BufferBudget } from '../admission/buffer-budget.js';
import type { MessageBuffer } from '../admission/message-buffer.js';
import type { Tenant } from '../upstream/tenant.js';
import { MessageLateError } from './inbound.errors.js';
import type { OpenedRequest } from './opened-request.js';
import { RequestOpener } from './request-opener.js';

const NO_BODY = Buffer.alloc(0);

/** A message, read as far as necessary before its sequence number is consumed. */
export interface ReadMessage extends OpenedRequest {
  readonly opener: RequestOpener;
  /** The buffered body of an MTE message, to be released at the end. */
  readonly buffer?: MessageBuffer;
}

/** Opens messages: the head of an MKE message, the whole of an MTE message. protocol.md sections 6 and 7. */
@Injectable()
export class MessageReader {
  constructor(
    private readonly config: RelayConfig,
    private readonly bufferBudget: BufferBudget,
    private readonly sessions: SessionService,
  ) {}

  /** @throws MessageLateError, or any error of the message; none of it may be forwarded then */
  async read(
    request: IncomingMessage,
    header: TunnelHeader,
    session: OpenSession,
    { routeRule }: Tenant,
  ): Promise<ReadMessage> {
    const key = deriveRequestKey(session.keys, header.raw);
    const opener = new RequestOpener(key, request, this.config.idleTimeoutMs);
    const { head, hasBody } = await opener.readHead();
    if (this.sessions.isLate(session, header)) {
      throw new MessageLateError(
        'the message was held back on its way, or a clock was stepped',
        deriveProof(session.keys),
      );
    }
    const refusal = routeRule.refusalOf(head) ?? connectionAuthRefusal(head.fields);
    if (refusal !== undefined) {
      return { head, body: undefined, opener, refusal };
    }
    if (!hasBody) {
      return { head, body: undefined, opener };
    }
    return header.type === 'mte'
      ? this.readWhole(head, opener)
      : { head, body: opener.wholeBodyAtHand() ?? opener.body(), opener };
  }

  private async readWhole(head: RequestHead, opener: RequestOpener): Promise<ReadMessage> {
    try {
      const buffer = await opener.readWholeBody(this.bufferBudget);
      return { head, body: bodyOf(buffer.takeParts()), opener, buffer };
    } catch (error) {
      if (isRefusal(error)) {
        return { head, body: undefined, opener, refusal: error };
      }
      throw error;
    }
  }
}

/** A body of one part is given to the upstream as it is, a larger one part by part. */
function bodyOf(parts: Buffer[]): Buffer | AsyncIterable<Buffer> {
  const [first = NO_BODY, second] = parts;
  return second === undefined ? first : inTurn(parts);
}

/** Each part is free once it has been sent. */
// eslint-disable-next-line @typescript-eslint/require-await
async function* inTurn(parts: Buffer[]): AsyncGenerator<Buffer> {
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    yield part;
  }
}

/** Whether the message is authentic so far, and is merely too large or too slow. */
function isRefusal(error: unknown): error is RelayError {
  return (
    error instanceof MessageTooLargeError ||
    error instanceof MessageTooSlowError ||
    error instanceof RelayBusyError
  );
}

import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { HoldBudget, MessageTooLargeError, RelayBusyError, type MessageHold } from '@relay/http';
import { RelayError, deriveRequestKey, deriveResponseKey } from '@relay/protocol';
import { SessionService, type OpenSession } from '@relay/session';
import { verifiedRequestFor, type VerifiedTunnelRequest } from '@relay/signature';

import { RelayLog } from '../observability/relay-log.js';
import { MessageUnreadableError } from './inbound.errors.js';
import { SealedRequest } from './sealed-request.js';
import { innerError } from './upstream-answer.js';
import { UpstreamClient } from './upstream-client.js';
import { UpstreamExchange, type ForwardedRequest } from './upstream-exchange.js';

/** A message that was read as far as it has to be before its sequence number is burnt. */
interface ReadMessage {
  readonly request: ForwardedRequest;
  readonly hold?: MessageHold;
  /** Why an authentic message is answered here instead of being forwarded. */
  readonly refusal?: RelayError;
}

/** Sealed request in, plain request to the upstream, sealed answer out. protocol.md section 7. */
@Injectable()
export class InboundService {
  constructor(
    private readonly config: RelayConfig,
    private readonly sessions: SessionService,
    private readonly upstream: UpstreamClient,
    private readonly holdBudget: HoldBudget,
    private readonly log: RelayLog,
  ) {}

  /**
   * The steps behind the verified signature. Returns when the answer has been given or given up.
   *
   * @throws the errors of SessionService, MessageUnreadableError, and what UpstreamExchange rejects with; all of them
   *   before anything was answered
   */
  async receive(
    message: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const startedAt = performance.now();
    const verified = verifiedRequestFor(message, 'tunnel');
    const { sid, sequence } = verified.header;
    const session = await this.sessions.open(sid, sequence, verified.sender);
    const read = await this.read(verified, session, message);
    try {
      await this.sessions.mark(session, sequence);
      const exchange = this.exchangeFor(verified, session, response, requestId);
      const outcome = await (read.refusal === undefined
        ? exchange.forward(this.upstream, read.request)
        : exchange.refuse(innerError(read.refusal.code, read.refusal.message, 'no', requestId)));
      this.log.info('message forwarded', {
        requestId,
        role: 'inbound',
        exchange: `${sid.slice(0, 8)}-${sequence}`,
        ...outcome,
        ms: Math.round(performance.now() - startedAt),
      });
    } finally {
      read.hold?.release();
    }
  }

  /** What cannot be read is burnt first: an error that says "never forwarded" must stay true. */
  private async read(
    { header }: VerifiedTunnelRequest,
    session: OpenSession,
    message: IncomingMessage,
  ): Promise<ReadMessage> {
    const key = deriveRequestKey(session.keys, header.raw);
    const sealed = new SealedRequest(key, message, this.config.idleTimeoutMs);
    try {
      const { head, hasBody } = await sealed.readHead();
      if (!hasBody) {
        return { request: { head, body: undefined, sealed } };
      }
      if (header.type === 'mke') {
        return { request: { head, body: sealed.wholeBodyAtHand() ?? sealed.body(), sealed } };
      }
      try {
        const hold = await sealed.readWholeBody(this.holdBudget);
        return { request: { head, body: hold.whole(), sealed }, hold };
      } catch (error) {
        if (error instanceof MessageTooLargeError || error instanceof RelayBusyError) {
          return { request: { head, body: undefined, sealed }, refusal: error };
        }
        throw error;
      }
    } catch (error) {
      await this.sessions.mark(session, header.sequence);
      throw new MessageUnreadableError('the message cannot be read', { cause: error });
    }
  }

  private exchangeFor(
    verified: VerifiedTunnelRequest,
    session: OpenSession,
    response: ServerResponse,
    requestId: string,
  ): UpstreamExchange {
    const key = deriveResponseKey(session.keys, verified.header.raw, verified.responseHeader);
    return new UpstreamExchange(key, response, this.config, requestId);
  }
}

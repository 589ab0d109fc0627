import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { endRequestEarly } from '@relay/http';
import { deriveResponseKey, exchangeName } from '@relay/protocol';
import { SessionService, type OpenSession } from '@relay/session';
import { verifiedRequestFor, type VerifiedTunnelRequest } from '@relay/signature';

import { ConcurrentRequests } from '../concurrent-requests.js';
import { RelayLog } from '../observability/relay-log.js';
import { rememberFacts, type RequestFacts } from '../observability/request-facts.js';
import { RequestReports } from '../observability/request-reports.js';
import { traceIdOf } from '../observability/trace-id.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import { MessageUnreadableError, OverloadedError } from './inbound.errors.js';
import { MessageReader, type ReadMessage } from './message-reader.js';
import { UpstreamExchange } from './upstream-exchange.js';

/** Sealed request in, plain request to the upstream, sealed answer out. protocol.md section 7. */
@Injectable()
export class InboundService {
  constructor(
    private readonly config: RelayConfig,
    private readonly sessions: SessionService,
    private readonly reader: MessageReader,
    private readonly upstream: UpstreamClient,
    private readonly reports: RequestReports,
    private readonly concurrent: ConcurrentRequests,
    private readonly log: RelayLog,
  ) {}

  /**
   * The steps behind the verified signature. Returns when the answer has been given or given up.
   *
   * @throws the errors of SessionService, OverloadedError, MessageUnreadableError, and what UpstreamExchange rejects with;
   *   all of them before anything was answered
   */
  async receive(
    message: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const startedAt = performance.now();
    const verified = verifiedRequestFor(message, 'tunnel');
    const { sid, sequence, raw } = verified.header;
    const exchangeId = exchangeName(verified.header);
    const isAdmitted = this.concurrent.admit(response);
    const session = await this.sessions.open(sid, sequence, verified.sender);
    if (!isAdmitted) {
      // Burnt like one that cannot be read: what was refused for now must not be forwarded later.
      await this.sessions.mark(session, sequence);
      throw new OverloadedError('as many requests as MAX_CONCURRENT_REQUESTS are under way');
    }
    const read = await this.read(verified, session, message);
    const facts = (): RequestFacts => ({
      exchange: exchangeId,
      trace_id: traceIdOf(read.head.fields),
      bytesIn: read.sealed.bytes,
      sealedIn: read.sealed.sealedBytes,
    });
    rememberFacts(message, facts);
    try {
      await this.sessions.mark(session, sequence);
      this.log.debug('message opened and marked', { requestId, exchange: exchangeId });
      const key = deriveResponseKey(session.keys, raw, verified.responseHeader);
      const exchange = new UpstreamExchange(
        key,
        verified.responseHeader,
        response,
        this.config,
        requestId,
      );
      const { status, code, error } = await exchange.run(this.upstream, read);
      const { exchange: name, trace_id, bytesIn, sealedIn } = facts();
      const { bytesOut, sealedBytesOut: sealedOut } = exchange;
      this.reports.exchanged({
        requestId,
        role: 'inbound',
        ms: performance.now() - startedAt,
        facts: { exchange: name, trace_id, bytesIn, bytesOut, sealedIn, sealedOut },
        status,
        code,
        error,
      });
    } finally {
      read.hold?.release();
    }
    endRequestEarly(message, response);
  }

  /** What cannot be read is burnt first: an error that says "never forwarded" must stay true. */
  private async read(
    verified: VerifiedTunnelRequest,
    session: OpenSession,
    message: IncomingMessage,
  ): Promise<ReadMessage> {
    try {
      return await this.reader.read(verified, session, message);
    } catch (cause) {
      await this.sessions.mark(session, verified.header.sequence);
      throw new MessageUnreadableError('the message cannot be read', { cause });
    }
  }
}

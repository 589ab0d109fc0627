import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { deriveProof, exchangeName } from '@relay/protocol';
import { SessionRefusedError, SessionService, type OpenSession } from '@relay/session';
import { verifiedRequestFor, type VerifiedTunnelRequest } from '@relay/signature';

import { ConcurrencyLimit, NO_PLACE } from '../admission/concurrency-limit.js';
import { DirectoryService } from '../directory/directory.service.js';
import { recordOf, type RequestRecord } from '../telemetry/request-record.js';
import { RequestReports, type RequestEnd } from '../telemetry/request-reports.js';
import { TenantsService } from '../upstream/tenants.service.js';
import { respondToCheck } from './check-response.js';
import { MessageLateError, MessageUnreadableError, OverloadedError } from './inbound.errors.js';
import { MessageReader, type ReadMessage } from './message-reader.js';
import { UpstreamForwarder, type EnteredSession } from './upstream-forwarder.js';

/** Opens a peer's message, sends the request in it to the upstream, and returns the response sealed. */
@Injectable()
export class InboundService {
  constructor(
    private readonly sessions: SessionService,
    private readonly tenants: TenantsService,
    private readonly directory: DirectoryService,
    private readonly concurrency: ConcurrencyLimit,
    private readonly reader: MessageReader,
    private readonly forwarder: UpstreamForwarder,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Performs the steps of protocol.md section 7 that follow the verification of the signature. Returns once the response has
   * been sent or abandoned.
   *
   * @throws the errors of SessionService, OverloadedError, MessageLateError, MessageUnreadableError, MessageBrokenError and
   *   ResponseUnencodableError, all of them before the response has begun
   */
  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verified = verifiedRequestFor(request, 'tunnel');
    const record = recordOf(request);
    record.exchange = exchangeName(verified.header);
    const isCheck = verified.header.type === 'check';
    // A check takes no place: what waits for it would otherwise be refused as a failed pairing.
    const hasPlace = isCheck || this.concurrency.tryAcquire(response);
    const session = await this.sessions.open(verified.header, verified.sender);
    const { kid } = verified.sender.secretKeys;
    const claim = { audience: session.audience, kid };
    const entered = { session, claim, tenant: this.tenants.of(claim) };
    record.peer = this.directory.current.nameOf(kid);
    if (!hasPlace) {
      await this.refuse(verified, session);
    }
    if (isCheck) {
      await this.check(request, response, verified, session);
      return;
    }
    const message = await this.read(request, verified, entered);
    this.reports.begun(record, message.head);
    const end = await this.forward(message, verified, entered, { record, response });
    if (end.status === undefined) {
      this.reports.cutOff(record, end);
    } else {
      this.reports.completed(record, end);
    }
  }

  /** Consumes the sequence number first, so that a message that is refused now cannot be forwarded later. */
  private async refuse({ header }: VerifiedTunnelRequest, session: OpenSession): Promise<never> {
    await this.sessions.mark(session, header);
    throw new OverloadedError(NO_PLACE, deriveProof(session.keys));
  }

  /** Proves to the sender that its session is alive. It consumes a number, so that a copy of a check proves nothing later. */
  private async check(
    request: IncomingMessage,
    response: ServerResponse,
    verified: VerifiedTunnelRequest,
    session: OpenSession,
  ): Promise<void> {
    const isLate = this.sessions.isLate(session, verified.header);
    await this.sessions.mark(session, verified.header);
    if (isLate) {
      throw new MessageLateError(
        'the check was held back on its way, or a clock was stepped',
        deriveProof(session.keys),
      );
    }
    const status = respondToCheck(verified, session, response);
    this.reports.completed(recordOf(request), { status });
  }

  /** Consumes the number of an unreadable or late message before it fails, because the error promises "never forwarded". */
  private async read(
    request: IncomingMessage,
    verified: VerifiedTunnelRequest,
    { session, tenant }: EnteredSession,
  ): Promise<ReadMessage> {
    try {
      return await this.reader.read(request, verified.header, session, tenant);
    } catch (cause) {
      await this.sessions.mark(session, verified.header);
      if (cause instanceof MessageLateError) {
        throw cause;
      }
      throw new MessageUnreadableError('the message cannot be read', deriveProof(session.keys), {
        cause,
      });
    }
  }

  /** Consumes the sequence number, which alone permits forwarding, and then forwards the message. */
  private async forward(
    message: ReadMessage,
    verified: VerifiedTunnelRequest,
    entered: EnteredSession,
    { record, response }: { readonly record: RequestRecord; readonly response: ServerResponse },
  ): Promise<RequestEnd> {
    try {
      await this.sessions.mark(entered.session, verified.header);
      this.checkAgain(entered);
      this.reports.debug(record, 'message opened and marked');
      return await this.forwarder.forward(message, verified, entered, { record, response });
    } finally {
      record.bytesIn = message.opener.bytes;
      record.sealedIn = message.opener.sealedBytes;
      message.buffer?.release();
    }
  }

  /** A message may be minutes on its way. What was taken from its sender in the meantime counts. */
  private checkAgain({ claim, session }: EnteredSession): void {
    if (this.tenants.find(claim) === undefined) {
      throw new SessionRefusedError(
        'the tenant was removed, or closed to the sender, while the message arrived',
        deriveProof(session.keys),
      );
    }
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { CHANNEL_SUBPROTOCOL, RELAY_HEADER, deriveProof, exchangeName } from '@relay/protocol';
import { SessionService, type OpenSession } from '@relay/session';
import { verifiedRequestFor, type VerifiedOpening } from '@relay/signature';
import { WebSocketServer, type WebSocket } from 'ws';

import { WEB_SOCKET_OPTIONS } from '../channels/web-socket-options.js';
import { DirectoryService } from '../directory/directory.service.js';
import { ShutdownState } from '../lifecycle/shutdown-state.js';
import { offeredConnection } from '../server/upgrades.js';
import { recordOf } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { InboundChannels } from './inbound-channels.js';
import { MessageLateError, OverloadedError, PeerGoneError } from './inbound.errors.js';

const SWITCHING_PROTOCOLS = 101;

/** Turns the connections of authentic openings into channels. protocol.md section 11.1. */
@Injectable()
export class ChannelAcceptor {
  private readonly webSockets = new WebSocketServer({
    ...WEB_SOCKET_OPTIONS,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => CHANNEL_SUBPROTOCOL,
  });

  constructor(
    private readonly config: RelayConfig,
    private readonly sessions: SessionService,
    private readonly channels: InboundChannels,
    private readonly shutdown: ShutdownState,
    private readonly reports: RequestReports,
    private readonly directory: DirectoryService,
  ) {
    this.webSockets.on('headers', (headers, request) => {
      headers.push(`${RELAY_HEADER}: ${verifiedRequestFor(request, 'channel').responseHeader}`);
    });
  }

  /**
   * Performs the steps of an opening that follow the verification of the signature. Its number is consumed before the connection
   * becomes a channel, and also before a refusal, so that a copy of the opening opens nothing.
   *
   * @throws the errors of SessionService, MessageLateError, OverloadedError and PeerGoneError
   */
  async accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verified = verifiedRequestFor(request, 'channel');
    const { header, sender } = verified;
    const record = recordOf(request);
    record.exchange = exchangeName(header);
    const session = await this.sessions.open(header, sender);
    record.peer = this.directory.current.nameOf(sender.secretKeys.kid);
    if (this.sessions.isLate(session, header)) {
      await this.sessions.mark(session, header);
      throw new MessageLateError(
        'the opening was held back on its way, or a clock was stepped',
        deriveProof(session.keys),
      );
    }
    await this.markWithPlace(verified, session);
    try {
      this.upgrade(request, response, (socket) => {
        // In this turn: what the peer may have sent already is read in the next.
        this.channels.add(socket, verified, session, request.socket);
      });
    } catch (error) {
      this.channels.release(header.type, sender.identity);
      throw error;
    }
    this.reports.completed(record, { status: SWITCHING_PROTOCOLS });
  }

  /** Takes a place for the channel, and consumes the number, whether or not there is one. */
  private async markWithPlace(
    { header, sender }: VerifiedOpening,
    session: OpenSession,
  ): Promise<void> {
    const { type } = header;
    const refusal = this.refusalOf() ?? this.channels.takePlace(type, sender.identity);
    try {
      await this.sessions.mark(session, header);
    } catch (error) {
      if (refusal === undefined) {
        this.channels.release(type, sender.identity);
      }
      throw error;
    }
    if (refusal !== undefined) {
      throw new OverloadedError(refusal, deriveProof(session.keys));
    }
  }

  /** @returns why no channel may be opened now, or undefined */
  private refusalOf(): string | undefined {
    if (this.config.tunnelTransport === 'message') {
      return 'TUNNEL_TRANSPORT is message: this relay has no channels';
    }
    return this.shutdown.isShuttingDown ? 'this relay is shutting down' : undefined;
  }

  /** @throws PeerGoneError if the connection has been closed in the meantime */
  private upgrade(
    request: IncomingMessage,
    response: ServerResponse,
    onUpgrade: (socket: WebSocket) => void,
  ): void {
    const offered = offeredConnection(request);
    if (offered?.socket.readable !== true || !offered.socket.writable) {
      throw new PeerGoneError('the relay that opened the channel has gone away');
    }
    response.detachSocket(request.socket);
    this.webSockets.handleUpgrade(request, offered.socket, offered.head, onUpgrade);
  }
}

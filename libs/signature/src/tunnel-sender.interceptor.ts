import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  AcceptedKeys,
  CLIENT_ID_HEADER,
  RELAY_HEADER,
  SALT_BYTES,
  formatResponseHeader,
  parseChannelHeader,
  parseTunnelHeader,
} from '@relay/protocol';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';

import { checkHandshake } from './channel-handshake.js';
import { singleHeader } from './single-header.js';
import { RelayName } from './relay-name.js';
import { verifySender } from './sender-signature.js';
import {
  attachSender,
  type VerifiedOpening,
  type VerifiedTunnelRequest,
} from './verified-request.js';

/**
 * Verifies the sender of a tunnel request before a byte of its body is read, or that of an opening before the connection becomes
 * a channel, and creates the relay header that the response is sealed under. A handler gets both from `verifiedRequestFor` and
 * does not read the raw headers again. protocol.md section 7, step 1, and section 11.1.
 */
@Injectable()
export class TunnelSenderInterceptor implements NestInterceptor {
  constructor(
    private readonly accepted: AcceptedKeys,
    private readonly name: RelayName,
  ) {}

  /**
   * @throws RelayHeaderMissingError if the request lacks `x-mte-client-id` or `x-mte-relay`
   * @throws RelayHeaderMalformedError if one of them does not match its pattern, or an opening is not the handshake
   *   of a channel
   * @throws SenderInvalidError if the kid is unknown or the signature does not verify
   * @throws SenderSelfError if the sender is this relay
   */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    const clientIdHeader = singleHeader(raw, CLIENT_ID_HEADER);
    const relayHeader = singleHeader(raw, RELAY_HEADER);
    const stated = raw.method === 'GET' ? readOpening(raw, relayHeader) : readTunnel(relayHeader);
    const sender = verifySender(this.accepted, clientIdHeader, relayHeader, { purpose: 'tunnel' });
    this.name.refuseSelf(sender.identity);
    const responseHeader = formatResponseHeader(randomBytes(SALT_BYTES));
    attachSender(raw, { ...stated, sender, responseHeader });
    return next.handle();
  }
}

function readTunnel(relayHeader: string): Pick<VerifiedTunnelRequest, 'purpose' | 'header'> {
  return { purpose: 'tunnel', header: parseTunnelHeader(relayHeader) };
}

/** Only openings are requests without a body. */
function readOpening(
  request: IncomingMessage,
  relayHeader: string,
): Pick<VerifiedOpening, 'purpose' | 'header'> {
  const header = parseChannelHeader(relayHeader);
  checkHandshake(request);
  return { purpose: 'channel', header };
}

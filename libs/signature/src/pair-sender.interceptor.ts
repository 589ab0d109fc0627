import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  CLIENT_ID_HEADER,
  KeyRing,
  MAX_PAIR_REQUEST_BYTES,
  PROTOCOL_VERSION,
  PairMessageMalformedError,
  RELAY_HEADER,
  RelayHeaderMalformedError,
} from '@relay/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Observable } from 'rxjs';

import { readExactly } from './read-exactly.js';
import { singleHeader } from './single-header.js';
import { statedKeys, verifySender } from './sender-signature.js';
import { attachSender } from './verified-request.js';

const PAIR_BODY_TIMEOUT_MS = 5_000;

/**
 * Reads a pairing request's body, of a stated and bounded length and from a sender that names a known secret, and
 * verifies its sender before anything else looks at it; sets the relay headers of the answer. protocol.md section 4.
 */
@Injectable()
export class PairSenderInterceptor implements NestInterceptor {
  constructor(private readonly keyRing: KeyRing) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const { raw } = http.getRequest<FastifyRequest>();
    const clientIdHeader = singleHeader(raw, CLIENT_ID_HEADER);
    const relayHeader = singleHeader(raw, RELAY_HEADER);
    if (relayHeader !== PROTOCOL_VERSION) {
      throw new RelayHeaderMalformedError('pairing version is not 1');
    }
    statedKeys(this.keyRing, clientIdHeader);
    const body = await readExactly(raw, statedLength(raw), PAIR_BODY_TIMEOUT_MS);
    const sender = verifySender(this.keyRing, clientIdHeader, relayHeader, {
      purpose: 'pair',
      body,
    });
    attachSender(raw, { purpose: 'pair', sender, body });

    const response = http.getResponse<FastifyReply>().raw;
    response.setHeader(RELAY_HEADER, PROTOCOL_VERSION);
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('cache-control', 'no-store');
    return next.handle();
  }
}

/** Checked before a byte is read, so that nothing larger is ever allocated. */
function statedLength(request: IncomingMessage): number {
  const stated = request.headers['content-length'];
  const length = Number(stated);
  if (stated === undefined || !(length <= MAX_PAIR_REQUEST_BYTES)) {
    throw new PairMessageMalformedError(
      `pair request does not state a length of at most ${MAX_PAIR_REQUEST_BYTES} bytes`,
    );
  }
  return length;
}

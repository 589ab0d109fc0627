import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { resetConnection, sendWholeAnswer } from '@relay/http';
import { RELAY_HEADER, RelayError, exchangeName } from '@relay/protocol';
import { Clock } from '@relay/session';
import { signError, verifiedRequest } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { RelayLog } from '../observability/relay-log.js';
import { INTERNAL_CODE, PEER_ANSWERS, clientStatus, type PeerAnswer } from './error-answers.js';
import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from './error-body.js';

/** Errors that a client hears about in more words than the code. */
interface ClientError {
  readonly code: string;
  readonly message: string;
  readonly forwarded?: Forwarded;
  /** Seconds. */
  readonly retryAfter?: number;
}

/**
 * The one place where an error becomes an answer: signed and empty for another relay, JSON for a client. An answer that
 * has begun cannot be taken back: its connection is reset.
 */
@Catch()
export class RelayErrorFilter implements ExceptionFilter {
  constructor(
    private readonly log: RelayLog,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    reply.hijack();
    if (reply.raw.headersSent) {
      this.log.error('an answer broke off', { requestId: request.id, error: exception });
      resetConnection(reply.raw.socket);
      return;
    }
    const error = asClientError(exception);
    const peerAnswer = PEER_ANSWERS[error.code];
    if (peerAnswer === undefined) {
      this.answerClient(error, exception, request, reply);
    } else {
      this.answerPeer(error.code, peerAnswer, exception, request, reply);
    }
  }

  private answerClient(
    error: ClientError,
    exception: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const status = clientStatus(error.code);
    const forwarded = error.forwarded ?? 'no';
    const { code } = error;
    const line = { requestId: request.id, status, code, forwarded, error: exception };
    if (status >= 500) {
      this.log.error('request failed', line);
    } else {
      this.log.warn('request refused', line);
    }
    sendWholeAnswer(
      request.raw,
      reply.raw,
      status,
      {
        'content-type': ERROR_CONTENT_TYPE,
        'cache-control': 'no-store',
        ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
      },
      errorBody(error.code, error.message, forwarded, request.id),
    );
  }

  private answerPeer(
    code: string,
    { status, isNeverForwarded }: PeerAnswer,
    exception: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const verified = verifiedRequest(request.raw);
    const role = verified?.purpose === 'pair' ? 'pairing' : 'inbound';
    this.log.warn('message refused', {
      requestId: request.id,
      role,
      exchange: verified?.purpose === 'tunnel' ? exchangeName(verified.header) : undefined,
      status,
      code,
      error: exception,
    });
    const headers: Record<string, string> = { 'cache-control': 'no-store' };
    if (isNeverForwarded !== undefined && verified !== undefined) {
      const { secretKeys, clientIdHeader } = verified.sender;
      const statement = { status, isNeverForwarded, unixMs: this.clock.nowMs() };
      headers[RELAY_HEADER] = signError(secretKeys, clientIdHeader, statement);
    }
    sendWholeAnswer(request.raw, reply.raw, status, headers, '');
  }
}

function asClientError(exception: unknown): ClientError {
  return exception instanceof RelayError
    ? exception
    : { code: INTERNAL_CODE, message: 'the relay failed; its log says why', forwarded: 'maybe' };
}

import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { resetConnection, sendWholeAnswer } from '@relay/http';
import { RELAY_HEADER, RelayError, exchangeName } from '@relay/protocol';
import { Clock } from '@relay/session';
import { signError, verifiedRequest } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { roleOf } from '../door.js';
import { networkOf } from '../network-of.js';
import type { Role } from '../observability/relay-metrics.js';
import { factsOf, type RequestFacts } from '../observability/request-facts.js';
import { RequestReports, type RequestReport } from '../observability/request-reports.js';
import { traceIdOf } from '../observability/trace-id.js';
import { INTERNAL_CODE, PEER_ANSWERS, clientStatus, type PeerAnswer } from './error-answers.js';
import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from './error-body.js';

/** What an error tells a client. */
interface ClientError {
  readonly code: string;
  readonly message: string;
  readonly forwarded?: Forwarded;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

/**
 * The one place where an error becomes an answer: signed and empty for another relay, JSON for a client. An answer that
 * has begun cannot be taken back: its connection is reset.
 */
@Catch()
export class RelayErrorFilter implements ExceptionFilter {
  constructor(
    private readonly reports: RequestReports,
    @Inject(Clock) private readonly clock: Clock,
    private readonly config: RelayConfig,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    reply.hijack();
    const error = asClientError(exception);
    const report = reportOf(error, exception, request, reply);
    const isFromRelay = report.role === 'inbound' || report.role === 'pairing';
    const peerAnswer = isFromRelay ? PEER_ANSWERS[error.code] : undefined;
    if (reply.raw.headersSent) {
      this.reports.cutOff(report);
      resetConnection(request.raw.socket);
    } else if (peerAnswer === undefined) {
      this.answerClient(error, report, request, reply);
    } else {
      this.answerPeer(peerAnswer, report, request, reply);
    }
  }

  private answerClient(
    { code, message, forwarded = 'no', retryAfter }: ClientError,
    report: RequestReport,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const status = clientStatus(code);
    const headers: Record<string, string> = {
      ...Object.fromEntries(this.config.headers),
      ...(this.config.debug ? { 'x-request-id': request.id } : {}),
      'content-type': ERROR_CONTENT_TYPE,
      ...this.refuse({ ...report, status, forwarded }, request),
    };
    if (retryAfter !== undefined) {
      headers['retry-after'] = String(retryAfter);
    }
    const body = errorBody(code, message, forwarded, request.id);
    sendWholeAnswer(request.raw, reply.raw, status, headers, body);
  }

  private answerPeer(
    { status, isNeverForwarded }: PeerAnswer,
    report: RequestReport,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const headers = this.refuse({ ...report, status }, request);
    const verified = verifiedRequest(request.raw);
    if (isNeverForwarded !== undefined && verified !== undefined) {
      const { secretKeys, clientIdHeader } = verified.sender;
      const statement = { status, isNeverForwarded, unixMs: this.clock.nowMs() };
      headers[RELAY_HEADER] = signError(secretKeys, clientIdHeader, statement);
    }
    sendWholeAnswer(request.raw, reply.raw, status, headers, '');
  }

  /** @returns the headers that every error answer has */
  private refuse(
    report: RequestReport & { readonly status: number },
    request: FastifyRequest,
  ): Record<string, string> {
    const headers = { 'cache-control': 'no-store' };
    if (!isStranger(report, request)) {
      this.reports.refused(report);
      return headers;
    }
    const isLogged = this.reports.refusedStranger(report, networkOf(request.raw.socket));
    return isLogged ? headers : { ...headers, connection: 'close' };
  }
}

/** Whether the sender has proved nothing: neither that it holds the token nor that it holds the secret. */
function isStranger({ role, code }: RequestReport, request: FastifyRequest): boolean {
  return role === 'inbound' || role === 'pairing'
    ? verifiedRequest(request.raw) === undefined
    : code === 'RELAY_TOKEN_INVALID' || code === 'RELAY_TOKEN_MISSING';
}

function asClientError(exception: unknown): ClientError {
  return exception instanceof RelayError
    ? exception
    : { code: INTERNAL_CODE, message: 'the relay failed; its log says why', forwarded: 'maybe' };
}

function reportOf(
  { code }: ClientError,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): RequestReport {
  const role = roleOf(request.raw.url ?? '');
  return {
    requestId: request.id,
    role,
    code,
    ms: reply.elapsedTime,
    error,
    facts: factsOf(request.raw) ?? firstFacts(request, role),
  };
}

/** What is known of a request that was refused before its service had looked at it. */
function firstFacts({ raw }: FastifyRequest, role: Role): RequestFacts {
  if (role === 'inbound' || role === 'pairing') {
    // The method of such a request is sealed, and so is the trace that it belongs to.
    const verified = verifiedRequest(raw);
    return {
      exchange: verified?.purpose === 'tunnel' ? exchangeName(verified.header) : undefined,
    };
  }
  const { traceparent } = raw.headers;
  const fields = typeof traceparent === 'string' ? ['traceparent', traceparent] : [];
  return { method: raw.method, trace_id: traceIdOf(fields) };
}

import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';
import {
  ERROR_CONTENT_TYPE,
  INTERNAL_CODE,
  NeverForwardedError,
  RelayError,
  clientOutcome,
  errorBody,
  relayOutcome,
  type ErrorCode,
  type Forwarded,
} from '@relay/errors';
import { resetConnection, sendWholeResponse } from '@relay/http';
import { OUTER_CACHE_CONTROL, RELAY_HEADER } from '@relay/protocol';
import { signError, verifiedRequest } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { isFromRelay, recordOf, type RequestRecord } from '../telemetry/request-record.js';
import { RequestReports, type Refusal } from '../telemetry/request-reports.js';

/** What an error means to a client. */
interface ClientError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Set if the error carries its own verdict, which takes precedence over that of its code. */
  readonly forwarded?: Forwarded;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** The value of `proxy-authenticate`. */
  readonly challenge?: string;
}

/** The error of a request whose error response is about to be sent. */
interface FailedRequest {
  readonly exception: unknown;
  readonly error: ClientError;
  readonly record: RequestRecord;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * The one place where an error becomes a response: signed and empty for another relay, JSON for a client. A response that has
 * begun cannot be taken back, so its connection is reset.
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
    const record = recordOf(request.raw);
    const failed = { exception, error: asClientError(exception), record, request, reply };
    if (reply.raw.headersSent) {
      this.reports.cutOff(record, { code: failed.error.code, error: exception });
      resetConnection(request.raw.socket);
    } else if (!isFromRelay(record) || !this.respondToRelay(failed)) {
      this.respondToClient(failed);
    }
  }

  private respondToClient(failed: FailedRequest): void {
    const { error, record, request, reply } = failed;
    const { code, message, retryAfter, challenge } = error;
    const { status } = clientOutcome(code);
    const forwarded = verdictOf(error);
    // Configured fields may be credentials, and tell of the network behind this relay.
    const headers: Record<string, string> = {
      ...Object.fromEntries(record.grant !== undefined ? this.config.tunnelResponseHeaders : []),
      ...(this.config.debug ? { 'x-request-id': request.id } : {}),
      'content-type': ERROR_CONTENT_TYPE,
      ...this.refuse(failed, { code, status, forwarded, error: failed.exception }),
    };
    if (retryAfter !== undefined) {
      headers['retry-after'] = String(retryAfter);
    }
    if (challenge !== undefined) {
      headers['proxy-authenticate'] = challenge;
    }
    const body = errorBody(code, message, forwarded, request.id);
    sendWholeResponse(request.raw, reply.raw, status, headers, body);
  }

  /** @returns false if errors with this code are not reported to other relays */
  private respondToRelay(failed: FailedRequest): boolean {
    const { error, request, reply } = failed;
    const outcome = relayOutcome(error.code);
    if (outcome === undefined) {
      return false;
    }
    const { status, verdict } = outcome;
    const headers = this.refuse(failed, { code: error.code, status, error: failed.exception });
    const verified = verifiedRequest(request.raw);
    if (verdict !== 'unsigned' && verified !== undefined) {
      const { secretKeys, clientIdHeader } = verified.sender;
      const { exception } = failed;
      const proof = exception instanceof NeverForwardedError ? exception.proof : undefined;
      // About a pairing, p=0 says only that there is no message yet.
      const isNeverForwarded =
        verdict === 'p=0' && (proof !== undefined || verified.purpose === 'pair');
      const signed = { status, isNeverForwarded, unixMs: this.clock.nowMs() };
      headers[RELAY_HEADER] = signError(secretKeys, clientIdHeader, signed, proof);
    }
    sendWholeResponse(request.raw, reply.raw, status, headers, '');
    return true;
  }

  /** Reports a refusal. @returns the headers that every error response has */
  private refuse({ record, request }: FailedRequest, end: Refusal): Record<string, string> {
    const headers = { 'cache-control': isFromRelay(record) ? OUTER_CACHE_CONTROL : 'no-store' };
    if (isAuthenticated(record, end.code, request) || isChallenge(end.code, request)) {
      this.reports.refused(record, end, request.raw.socket);
      return headers;
    }
    const isLogged = this.reports.refusedUnauthenticated(record, end, request.raw.socket);
    return isLogged ? headers : { ...headers, connection: 'close' };
  }
}

/** Refusals for which the sender needs no token, on the way to a pass-through route that it may not even match. */
const TOKENLESS_CODES: ReadonlySet<ErrorCode> = new Set([
  'RELAY_TOKEN_MISSING',
  'RELAY_HEAD_INVALID',
  'RELAY_UPGRADE_UNSUPPORTED',
]);

/** Whether the sender has proved that it holds the secret or the token, or has at least been admitted to a pass-through route. */
function isAuthenticated(record: RequestRecord, code: ErrorCode, request: FastifyRequest): boolean {
  if (isFromRelay(record)) {
    return verifiedRequest(request.raw) !== undefined;
  }
  return record.role === 'outbound' ? record.grant !== undefined : !TOKENLESS_CODES.has(code);
}

/** Many clients of a proxy send no credentials before they are asked for them: that is no attempt to get in. */
function isChallenge(code: ErrorCode, { headers }: FastifyRequest): boolean {
  return code === 'RELAY_PROXY_AUTH_REQUIRED' && headers['proxy-authorization'] === undefined;
}

/** An error without a verdict has that of its code. If the verdict varies with this code, only the cautious one is safe. */
function verdictOf({ code, forwarded }: ClientError): Forwarded {
  const byCode = clientOutcome(code).forwarded;
  return forwarded ?? (byCode === 'varies' ? 'maybe' : byCode);
}

function asClientError(exception: unknown): ClientError {
  return exception instanceof RelayError
    ? exception
    : { code: INTERNAL_CODE, message: 'the relay failed; see its log' };
}

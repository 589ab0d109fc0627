import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { resetConnection, sendWholeAnswer } from '@relay/http';

import { doorOf, roleOf } from '../door.js';
import type { Role } from '../observability/relay-metrics.js';
import { networkOf } from '../network-of.js';
import { requestIdOf } from '../request-id.js';
import { CLIENT_STATUSES } from './error-answers.js';
import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from './error-body.js';

type EarlyCode =
  | 'RELAY_REQUEST_INVALID'
  | 'RELAY_REQUEST_TOO_LARGE'
  | 'RELAY_REQUEST_TIMEOUT'
  | 'RELAY_METHOD_UNSUPPORTED'
  | 'RELAY_EXPECTATION_FAILED';

/** An answer to a request that no controller saw, as the log is to tell it. */
export interface EarlyAnswer {
  /** As in the answer. */
  readonly requestId: string;
  /** `none` where not even the head could be read. */
  readonly role: Role;
  readonly code: EarlyCode;
  readonly status: number;
  readonly error?: Error;
}

/** What the log is told of them. */
export interface EarlyReports {
  /** @param network - where the request came from */
  refusedEarly(answer: EarlyAnswer, network: string): void;
  /** A connection that ended in a way that nobody could be told of: reset, or a TLS handshake that failed. */
  connectionLost(error: Error): void;
}

/** Seen by readClientRequest as well, so that nothing of such a request is forwarded. */
const TRANSFER_CODING_ERROR = 'HPE_INVALID_TRANSFER_ENCODING';

const REASONS: Readonly<Record<EarlyCode, string>> = {
  RELAY_REQUEST_INVALID: 'Bad Request',
  RELAY_REQUEST_TOO_LARGE: 'Request Header Fields Too Large',
  RELAY_REQUEST_TIMEOUT: 'Request Timeout',
  RELAY_METHOD_UNSUPPORTED: 'Not Implemented',
  RELAY_EXPECTATION_FAILED: 'Expectation Failed',
};

/** How long a client may take to close a connection on which it was refused. */
const MAX_FAREWELL_MS = 2_000;

/** Errors of TLS itself: there is nobody who could read an answer. */
const TLS_ERROR = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/;

/** The sender went away within a message, which has a line of its own where its head was read; an answer may not arrive. */
function isLost(error: (Error & { readonly code?: string }) | undefined): error is Error {
  return error?.code === 'HPE_INVALID_EOF_STATE';
}

/** What is said to requests that never reach a controller. */
export class EarlyAnswers {
  /** Told of every answer, once there is a log. */
  reports: EarlyReports = { refusedEarly: () => undefined, connectionLost: () => undefined };
  /** Connections that have had their last answer. */
  private readonly refused = new WeakSet<Duplex>();

  /** A path of the relay's own endpoints that the router cannot decode; the router's own answer would repeat it. */
  unroutable(request: IncomingMessage, response: ServerResponse, requestId: string): void {
    const refusal = { code: 'RELAY_REQUEST_INVALID', requestId } as const;
    this.answer(request, response, refusal, 'the request target cannot be read');
  }

  /** A request that does not say which host it is for, or says it twice. */
  host(request: IncomingMessage, response: ServerResponse, requestId: string): void {
    const refusal = { code: 'RELAY_REQUEST_INVALID', requestId } as const;
    this.answer(request, response, refusal, 'the request does not have exactly one host field');
  }

  /** An `expect` other than 100-continue. RFC 9110 section 10.1.1 */
  readonly expectation = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = requestIdOf(request.headers);
    const refusal = { code: 'RELAY_EXPECTATION_FAILED', requestId } as const;
    this.answer(request, response, refusal, 'only the expectation 100-continue can be met');
  };

  /** A relay is no CONNECT proxy. */
  readonly connect = (request: IncomingMessage, socket: Duplex): void => {
    const requestId = requestIdOf(request.headers);
    const refusal = { code: 'RELAY_METHOD_UNSUPPORTED', requestId } as const;
    this.answerOnSocket(socket, refusal, 'CONNECT is not supported', 'maybe');
  };

  /** What Node.js could not parse has no request and no response, only a socket. */
  readonly unparsable = (error: Error & { readonly code?: string }, socket: Duplex): void => {
    if (this.refused.has(socket)) {
      // The parser says so of every piece that a client still writes before it reads its answer.
      return;
    }
    const { code = '' } = error;
    if (code === 'ECONNRESET' || TLS_ERROR.test(code) || !socket.writable) {
      socket.destroy();
      this.reports.connectionLost(error);
      return;
    }
    const refusal = { code: unparsableCode(code), requestId: randomUUID(), error };
    const isRefusedByUsToo = code === TRANSFER_CODING_ERROR;
    const forOwed = isRefusedByUsToo ? 'no' : 'maybe';
    this.answerOnSocket(socket, refusal, 'the request cannot be parsed', forOwed);
  };

  private answer(
    request: IncomingMessage,
    response: ServerResponse,
    { code, requestId }: Pick<EarlyAnswer, 'code' | 'requestId'>,
    message: string,
  ): void {
    const status = CLIENT_STATUSES[code];
    // The router has put the door in the place of the path, which leads to the same role.
    const answer = { code, requestId, status, role: roleOf(doorOf(request)) };
    this.reports.refusedEarly(answer, networkOf(request.socket));
    const body = errorBody(code, message, 'no', requestId);
    sendWholeAnswer(request, response, status, { 'content-type': ERROR_CONTENT_TYPE }, body);
  }

  /** @param forOwed - what is true of a request that is owed an answer on this connection */
  private answerOnSocket(
    socket: Duplex,
    refusal: Pick<EarlyAnswer, 'code' | 'requestId' | 'error'>,
    message: string,
    forOwed: Forwarded,
  ): void {
    this.refused.add(socket);
    const { code, requestId } = refusal;
    const status = CLIENT_STATUSES[code];
    if (isLost(refusal.error)) {
      this.reports.connectionLost(refusal.error);
    } else {
      this.reports.refusedEarly({ ...refusal, status, role: 'none' }, networkOf(socket));
    }
    const owed = owedResponse(socket);
    if (owed?.headersSent === true) {
      resetConnection(socket as Socket);
      return;
    }
    const body = errorBody(code, message, owed === undefined ? 'no' : forOwed, requestId);
    // A client that resets the connection meanwhile is no error of ours.
    socket.on('error', () => {
      socket.destroy();
    });
    // Nobody reads this connection any more, and its end would not be seen; nor may it stay for as long as it likes.
    socket.resume();
    const limit = setTimeout(() => socket.destroy(), MAX_FAREWELL_MS);
    socket.once('close', () => {
      clearTimeout(limit);
    });
    socket.end(
      `HTTP/1.1 ${status} ${REASONS[code]}\r\n` +
        `content-type: ${ERROR_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
        `connection: close\r\n\r\n${body}`,
      'utf8',
    );
  }
}

/**
 * The response that the connection owes at this moment, by Node.js's own field, which its default handler reads too. It
 * may have begun: our bytes would then stand within its body.
 */
function owedResponse(socket: Duplex): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

function unparsableCode(code = ''): EarlyCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'RELAY_REQUEST_TOO_LARGE';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'RELAY_REQUEST_TIMEOUT';
    default:
      return 'RELAY_REQUEST_INVALID';
  }
}

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { ERROR_CONTENT_TYPE, ERRORS, errorBody, type Forwarded } from '@relay/errors';
import { lingeringClose, resetConnection, sendWholeResponse } from '@relay/http';
import { OUTER_CACHE_CONTROL } from '@relay/protocol';

import { isFromRelay, recordOf } from '../telemetry/request-record.js';
import type { EarlyCode, EarlyRefusal } from '../telemetry/request-reports.js';
import { HTTP2_MESSAGE, http2Refusal } from './http2-refusal.js';
import { MAX_FIELDS } from './field-limit.js';

interface EarlyEvents {
  readonly refused: [refusal: EarlyRefusal, socket: Duplex];
  /** A connection ended, and no response could be sent on it: it was reset, or its TLS handshake failed. */
  readonly lost: [error: Error];
}

/** An error of Node.js's parser. */
type ParseError = Error & { readonly code?: string; readonly reason?: string };

/** The parser gives the same code to a version that is followed by something other than CRLF. */
const UNKNOWN_VERSION = 'Invalid HTTP version';

/** The parser has read the preface of HTTP/2, as clients send it that know that a server speaks it, such as those of gRPC. */
const HTTP2_PREFACE = 'HPE_PAUSED_H2_UPGRADE';

/** The client offers, by ALPN, only protocols that the listener does not speak: as a rule, HTTP/2. */
const NO_COMMON_PROTOCOL = 'ERR_SSL_NO_APPLICATION_PROTOCOL';

/** readClientRequest refuses such a request as well, so nothing of it is forwarded. */
const TRANSFER_CODING_ERROR = 'HPE_INVALID_TRANSFER_ENCODING';

const VERSION_MESSAGE = 'only HTTP/1.1 and HTTP/1.0 are supported';

const REASON_PHRASES: Readonly<Record<EarlyCode, string>> = {
  RELAY_REQUEST_INVALID: 'Bad Request',
  RELAY_REQUEST_TOO_LARGE: 'Request Header Fields Too Large',
  RELAY_REQUEST_TIMEOUT: 'Request Timeout',
  RELAY_METHOD_UNSUPPORTED: 'Method Not Allowed',
  RELAY_VERSION_UNSUPPORTED: 'HTTP Version Not Supported',
  RELAY_EXPECTATION_FAILED: 'Expectation Failed',
};

const NO_STORE = 'no-store';

const CONNECT_MESSAGE =
  'CONNECT is not supported: what is inside TLS cannot be sealed here. Ask for the http:// URL through this relay, which seals it itself, or use a listener of the peer';
/** A 405 names the methods that a resource has; through a relay, every other one. RFC 9110 section 15.5.6. */
const ALLOWED = METHODS.filter((name) => name !== 'CONNECT' && name !== 'TRACE').join(', ');

/** Characters of a parameter in the path of an endpoint of the relay: the message of an echo. */
export const MAX_PARAMETER_LENGTH = 100;

/** Errors of TLS itself: the client could not read a response. */
const TLS_ERROR = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/;

/**
 * Refuses requests that never reach a controller: those that Node.js cannot parse, that the router cannot decode, or that ask
 * for something that no relay supports. Each refusal is emitted as an event, for the log and the metrics.
 */
export class EarlyRefusals extends EventEmitter<EarlyEvents> {
  /**
   * The target names one of the relay's own endpoints and cannot be decoded, or has a longer parameter than is read. The router's
   * own response would repeat it.
   */
  unroutable(request: IncomingMessage, response: ServerResponse): void {
    this.respond(
      request,
      response,
      'RELAY_REQUEST_INVALID',
      `the request target cannot be decoded, or has a parameter of more than ${MAX_PARAMETER_LENGTH} characters`,
    );
  }

  /** The request does not name its host, or names it twice. */
  host(request: IncomingMessage, response: ServerResponse): void {
    this.respond(
      request,
      response,
      'RELAY_REQUEST_INVALID',
      'the request does not have exactly one host field',
    );
  }

  /** The request has a transfer coding without a name, so where it ends is uncertain. */
  framing(request: IncomingMessage, response: ServerResponse): void {
    this.respond(
      request,
      response,
      'RELAY_REQUEST_INVALID',
      'the request has an empty transfer-encoding',
    );
  }

  /** The request line names neither HTTP/1.0 nor HTTP/1.1. */
  version(request: IncomingMessage, response: ServerResponse): void {
    this.respond(request, response, 'RELAY_VERSION_UNSUPPORTED', VERSION_MESSAGE);
  }

  /** The head has more fields than are read. */
  fields(request: IncomingMessage, response: ServerResponse): void {
    this.respond(
      request,
      response,
      'RELAY_REQUEST_TOO_LARGE',
      `the request has more than ${MAX_FIELDS} fields`,
    );
  }

  /** An `expect` other than 100-continue. RFC 9110 section 10.1.1 */
  expectation(request: IncomingMessage, response: ServerResponse): void {
    this.respond(
      request,
      response,
      'RELAY_EXPECTATION_FAILED',
      'only the expectation 100-continue can be met',
    );
  }

  /** CONNECT: a relay is not a tunnel for TCP. */
  connect(request: IncomingMessage, socket: Duplex): void {
    const { requestId } = recordOf(request);
    const error = new Error(CONNECT_MESSAGE);
    const refusal = { code: 'RELAY_METHOD_UNSUPPORTED', requestId, error } as const;
    this.respondOnSocket(socket, refusal, CONNECT_MESSAGE, 'maybe', `allow: ${ALLOWED}\r\n`);
  }

  /** Input that Node.js cannot parse. There is neither a request nor a response, only a socket. */
  unparsable(error: ParseError, socket: Duplex): void {
    const { code = '' } = error;
    if (code === NO_COMMON_PROTOCOL) {
      // The client has been told in TLS, by an alert, and is gone.
      this.emit('refused', { ...http2Refused(), status: 505, role: 'none' }, socket);
      socket.destroy();
      return;
    }
    if (code === 'ECONNRESET' || TLS_ERROR.test(code) || !socket.writable) {
      socket.destroy();
      this.emit('lost', error);
      return;
    }
    if (code === HTTP2_PREFACE && pendingResponse(socket) === undefined) {
      this.emit('refused', { ...http2Refused(), status: 505, role: 'none' }, socket);
      endWith(socket, http2Refusal());
      return;
    }
    const refusal = { code: unparsableCode(error), requestId: randomUUID(), error };
    // A response may also be pending to a request before it, which is complete, and is being forwarded.
    const isOfPending = pendingResponse(socket)?.req.complete === false;
    const forPending = code === TRANSFER_CODING_ERROR && isOfPending ? 'no' : 'maybe';
    const isVersion = refusal.code === 'RELAY_VERSION_UNSUPPORTED';
    const message = isVersion ? VERSION_MESSAGE : 'the request cannot be parsed';
    this.respondOnSocket(socket, refusal, message, forPending);
  }

  private respond(
    request: IncomingMessage,
    response: ServerResponse,
    code: EarlyCode,
    message: string,
  ): void {
    const { status, forwarded } = ERRORS[code].client;
    const record = recordOf(request);
    const { requestId, role } = record;
    this.emit('refused', { code, requestId, status, role }, request.socket);
    const body = errorBody(code, message, forwarded, requestId);
    const headers = {
      'content-type': ERROR_CONTENT_TYPE,
      'cache-control': isFromRelay(record) ? OUTER_CACHE_CONTROL : NO_STORE,
      connection: 'close',
    };
    sendWholeResponse(request, response, status, headers, body);
  }

  /**
   * @param forPending - the verdict on a request whose response is still pending on this connection
   * @param more - further field lines
   */
  private respondOnSocket(
    socket: Duplex,
    refusal: { readonly code: EarlyCode; readonly requestId: string; readonly error?: Error },
    message: string,
    forPending: Forwarded,
    more = '',
  ): void {
    const { code, requestId } = refusal;
    const { status } = ERRORS[code].client;
    if (isLost(refusal.error)) {
      this.emit('lost', refusal.error);
    } else {
      this.emit('refused', { ...refusal, status, role: 'none' }, socket);
    }
    const pending = pendingResponse(socket);
    if (pending?.headersSent === true) {
      resetConnection(socket as Socket);
      return;
    }
    const body = errorBody(code, message, pending === undefined ? 'no' : forPending, requestId);
    const head =
      `HTTP/1.1 ${status} ${REASON_PHRASES[code]}\r\n` +
      `content-type: ${ERROR_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: ${NO_STORE}\r\nconnection: close\r\n${more}\r\n`;
    endWith(socket, Buffer.from(head + body));
  }
}

/** Writes the last bytes of a connection, and lets it linger. */
function endWith(socket: Duplex, bytes: Buffer): void {
  // If the client resets the connection in the meantime, that is not an error of the relay.
  socket.on('error', () => {
    socket.destroy();
  });
  // Also ends the parser, which would report every further chunk that a client writes before it reads its response.
  lingeringClose(socket as Socket);
  socket.end(bytes);
  (socket as Socket).destroySoon();
}

function http2Refused() {
  const error = new Error(HTTP2_MESSAGE);
  return { code: 'RELAY_VERSION_UNSUPPORTED', requestId: randomUUID(), error } as const;
}

/**
 * Whether the sender went away in the middle of a request. If the head had been read, the request has its own log line. A
 * response may not arrive.
 */
function isLost(error: (Error & { readonly code?: string }) | undefined): error is Error {
  return error?.code === 'HPE_INVALID_EOF_STATE';
}

/**
 * The response that is pending on the connection, by Node.js's own field, which its default handler reads as well. If it has
 * begun, an error response would become part of its body.
 */
function pendingResponse(socket: Duplex): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

function unparsableCode({ code = '', reason }: ParseError): EarlyCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'RELAY_REQUEST_TOO_LARGE';
    case 'HPE_INVALID_VERSION':
      return reason === UNKNOWN_VERSION ? 'RELAY_VERSION_UNSUPPORTED' : 'RELAY_REQUEST_INVALID';
    case HTTP2_PREFACE:
      return 'RELAY_VERSION_UNSUPPORTED';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'RELAY_REQUEST_TIMEOUT';
    default:
      return 'RELAY_REQUEST_INVALID';
  }
}

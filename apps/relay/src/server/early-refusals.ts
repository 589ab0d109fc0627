import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { ERROR_CONTENT_TYPE, ERRORS, errorBody, type Forwarded } from '@relay/errors';
import { resetConnection, sendWholeResponse } from '@relay/http';

import { recordOf } from '../telemetry/request-record.js';
import type { EarlyRefusal } from '../telemetry/request-reports.js';
import { MAX_FIELDS } from './field-limit.js';

type EarlyCode =
  | 'RELAY_REQUEST_INVALID'
  | 'RELAY_REQUEST_TOO_LARGE'
  | 'RELAY_REQUEST_TIMEOUT'
  | 'RELAY_METHOD_UNSUPPORTED'
  | 'RELAY_EXPECTATION_FAILED';

interface EarlyEvents {
  readonly refused: [refusal: EarlyRefusal, socket: Duplex];
  /** A connection ended, and no response could be sent on it: it was reset, or its TLS handshake failed. */
  readonly lost: [error: Error];
}

/** readClientRequest refuses such a request as well, so nothing of it is forwarded. */
const TRANSFER_CODING_ERROR = 'HPE_INVALID_TRANSFER_ENCODING';

const REASON_PHRASES: Readonly<Record<EarlyCode, string>> = {
  RELAY_REQUEST_INVALID: 'Bad Request',
  RELAY_REQUEST_TOO_LARGE: 'Request Header Fields Too Large',
  RELAY_REQUEST_TIMEOUT: 'Request Timeout',
  RELAY_METHOD_UNSUPPORTED: 'Not Implemented',
  RELAY_EXPECTATION_FAILED: 'Expectation Failed',
};

/** How long a client may take to close a connection on which it was refused. */
const MAX_CLOSE_DELAY_MS = 2_000;

/** Errors of TLS itself: the client could not read a response. */
const TLS_ERROR = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/;

/**
 * Refuses requests that never reach a controller: those that Node.js cannot parse, that the router cannot decode, or that ask
 * for something that no relay supports. Each refusal is emitted as an event, for the log and the metrics.
 */
export class EarlyRefusals extends EventEmitter<EarlyEvents> {
  /** Connections that have had their last response. */
  private readonly refused = new WeakSet<Duplex>();

  /** The target names one of the relay's own endpoints and cannot be decoded. The router's own response would repeat it. */
  unroutable(request: IncomingMessage, response: ServerResponse): void {
    const { requestId } = recordOf(request);
    const refusal = { code: 'RELAY_REQUEST_INVALID', requestId } as const;
    this.respond(request, response, refusal, 'the request target cannot be decoded');
  }

  /** The request does not name its host, or names it twice. */
  host(request: IncomingMessage, response: ServerResponse): void {
    const { requestId } = recordOf(request);
    const refusal = { code: 'RELAY_REQUEST_INVALID', requestId } as const;
    this.respond(request, response, refusal, 'the request does not have exactly one host field');
  }

  /** The head has more fields than are read. */
  fields(request: IncomingMessage, response: ServerResponse): void {
    const { requestId } = recordOf(request);
    const refusal = { code: 'RELAY_REQUEST_TOO_LARGE', requestId } as const;
    this.respond(request, response, refusal, `the request has more than ${MAX_FIELDS} fields`);
  }

  /** An `expect` other than 100-continue. RFC 9110 section 10.1.1 */
  expectation(request: IncomingMessage, response: ServerResponse): void {
    const { requestId } = recordOf(request);
    const refusal = { code: 'RELAY_EXPECTATION_FAILED', requestId } as const;
    this.respond(request, response, refusal, 'only the expectation 100-continue can be met');
  }

  /** CONNECT: a relay is not a tunnel for TCP. */
  connect(request: IncomingMessage, socket: Duplex): void {
    const { requestId } = recordOf(request);
    const refusal = { code: 'RELAY_METHOD_UNSUPPORTED', requestId } as const;
    this.respondOnSocket(socket, refusal, 'CONNECT is not supported', 'maybe');
  }

  /** Input that Node.js cannot parse. There is neither a request nor a response, only a socket. */
  unparsable(error: Error & { readonly code?: string }, socket: Duplex): void {
    if (this.refused.has(socket)) {
      // The parser reports every further chunk that a client writes before it reads its response.
      return;
    }
    const { code = '' } = error;
    if (code === 'ECONNRESET' || TLS_ERROR.test(code) || !socket.writable) {
      socket.destroy();
      this.emit('lost', error);
      return;
    }
    const refusal = { code: unparsableCode(code), requestId: randomUUID(), error };
    const forPending = code === TRANSFER_CODING_ERROR ? 'no' : 'maybe';
    this.respondOnSocket(socket, refusal, 'the request cannot be parsed', forPending);
  }

  private respond(
    request: IncomingMessage,
    response: ServerResponse,
    { code, requestId }: { readonly code: EarlyCode; readonly requestId: string },
    message: string,
  ): void {
    const { status, forwarded } = ERRORS[code].client;
    const { role } = recordOf(request);
    this.emit('refused', { code, requestId, status, role }, request.socket);
    const body = errorBody(code, message, forwarded === 'no' ? 'no' : 'maybe', requestId);
    sendWholeResponse(request, response, status, { 'content-type': ERROR_CONTENT_TYPE }, body);
  }

  /** @param forPending - the verdict on a request whose response is still pending on this connection */
  private respondOnSocket(
    socket: Duplex,
    refusal: { readonly code: EarlyCode; readonly requestId: string; readonly error?: Error },
    message: string,
    forPending: Forwarded,
  ): void {
    this.refused.add(socket);
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
    // If the client resets the connection in the meantime, that is not an error of the relay.
    socket.on('error', () => {
      socket.destroy();
    });
    // Nothing else reads from this connection, so its end would go unnoticed; and it must not stay open indefinitely.
    socket.resume();
    const limit = setTimeout(() => socket.destroy(), MAX_CLOSE_DELAY_MS);
    socket.once('close', () => {
      clearTimeout(limit);
    });
    socket.end(
      `HTTP/1.1 ${status} ${REASON_PHRASES[code]}\r\n` +
        `content-type: ${ERROR_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
        `connection: close\r\n\r\n${body}`,
      'utf8',
    );
  }
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

function unparsableCode(code: string): EarlyCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'RELAY_REQUEST_TOO_LARGE';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'RELAY_REQUEST_TIMEOUT';
    default:
      return 'RELAY_REQUEST_INVALID';
  }
}

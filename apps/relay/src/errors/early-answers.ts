import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { resetConnection, sendWholeAnswer } from '@relay/http';

import { CLIENT_STATUSES } from './error-answers.js';
import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from './error-body.js';

type EarlyCode =
  | 'RELAY_REQUEST_INVALID'
  | 'RELAY_REQUEST_TOO_LARGE'
  | 'RELAY_REQUEST_TIMEOUT'
  | 'RELAY_METHOD_UNSUPPORTED';

/** Seen by readClientRequest as well, so that nothing of such a request is forwarded. */
const TRANSFER_CODING_ERROR = 'HPE_INVALID_TRANSFER_ENCODING';

const REASONS: Readonly<Record<EarlyCode, string>> = {
  RELAY_REQUEST_INVALID: 'Bad Request',
  RELAY_REQUEST_TOO_LARGE: 'Request Header Fields Too Large',
  RELAY_REQUEST_TIMEOUT: 'Request Timeout',
  RELAY_METHOD_UNSUPPORTED: 'Not Implemented',
};

/** A path of the relay's own endpoints that the router cannot decode; the router's own answer would repeat it. */
export function answerUnroutable(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): void {
  const message = 'the request target cannot be read';
  const body = errorBody('RELAY_REQUEST_INVALID', message, 'no', requestId);
  const status = CLIENT_STATUSES.RELAY_REQUEST_INVALID;
  sendWholeAnswer(request, response, status, { 'content-type': ERROR_CONTENT_TYPE }, body);
}

/** An `expect` other than 100-continue. RFC 9110 section 10.1.1 */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const message = 'only the expectation 100-continue can be met';
  const body = errorBody('RELAY_EXPECTATION_FAILED', message, 'no', randomUUID());
  const status = CLIENT_STATUSES.RELAY_EXPECTATION_FAILED;
  sendWholeAnswer(request, response, status, { 'content-type': ERROR_CONTENT_TYPE }, body);
}

/** A relay is no CONNECT proxy. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  answerOnSocket(socket, 'RELAY_METHOD_UNSUPPORTED', 'CONNECT is not supported', 'maybe');
}

/** What Node.js could not parse has no request and no response, only a socket. */
export function answerUnparsable(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isRefusedByUsToo = error.code === TRANSFER_CODING_ERROR;
  answerOnSocket(
    socket,
    unparsableCode(error.code),
    'the request cannot be parsed',
    isRefusedByUsToo ? 'no' : 'maybe',
  );
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

/** @param forOwed - what is true of a request that is owed an answer on this connection */
function answerOnSocket(
  socket: Duplex,
  code: EarlyCode,
  message: string,
  forOwed: Forwarded,
): void {
  const owed = owedResponse(socket);
  if (owed?.headersSent === true) {
    resetConnection(socket as Socket);
    return;
  }
  const body = errorBody(code, message, owed === undefined ? 'no' : forOwed, randomUUID());
  // A client that resets the connection meanwhile is no error of ours.
  socket.on('error', () => {
    socket.destroy();
  });
  socket.end(
    `HTTP/1.1 ${CLIENT_STATUSES[code]} ${REASONS[code]}\r\n` +
      `content-type: ${ERROR_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

import type { ServerResponse } from 'node:http';

/**
 * Sends the head of a response immediately, even if it has no body. `flushHeaders` uses the default encoding of the socket,
 * which is UTF-8 unless it is changed and would alter every octet beyond ASCII.
 *
 * The socket keeps this encoding, because a pipelined response is not written until its turn comes. That does no harm: bodies
 * are always passed to Node.js as bytes.
 */
export function flushHead(response: ServerResponse): void {
  // The socket of the request: a response that is waiting for its turn on the connection does not have one yet.
  response.req.socket.setDefaultEncoding('latin1');
  response.flushHeaders();
}

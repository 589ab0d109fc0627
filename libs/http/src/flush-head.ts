import type { ServerResponse } from 'node:http';

/**
 * Sends the head of an answer now, also of one that has no body. `flushHeaders` writes it in the encoding of its
 * socket, which would be UTF-8 and change every octet beyond ASCII.
 *
 * The socket keeps it, as a response may be written when its turn comes: bodies are given to Node.js as bytes alone.
 */
export function flushHead(response: ServerResponse): void {
  // The request's: a response that waits for its turn on the connection has no socket yet.
  response.req.socket.setDefaultEncoding('latin1');
  response.flushHeaders();
}

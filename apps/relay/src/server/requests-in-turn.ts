import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { endConnectionIfMoreFollows } from './ignored-upgrade.js';

/**
 * Pipelined requests of one connection that may wait for their turn; apt, which pipelines most, sends 10. Node.js reads on while
 * a response is pending, and each request takes more than a kilobyte until its turn comes.
 */
const MAX_WAITING = 256;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Passes a request on only when its response has its turn on the connection. Node.js emits pipelined requests as soon as it has
 * read them, also those behind a response with `connection: close`: they would run, and nobody would learn their outcome.
 * RFC 9112 section 9.6. It also spares handlers a response whose connection ends before its turn, which emits nothing.
 *
 * Call it once the server has its listeners; those that are added later see requests as Node.js emits them.
 */
export function passRequestsInTurn(server: Server): void {
  const listeners = server.listeners('request') as Listener[];
  server.removeAllListeners('request');
  const waiting = new WeakMap<Socket, number>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.upgrade !== undefined) {
      endConnectionIfMoreFollows(request, response);
    }
    const pass = (): void => {
      if (request.socket.writableEnded) {
        return;
      }
      closeAfterFaultyFraming(request, response);
      for (const listener of listeners) {
        listener.call(server, request, response);
      }
    };
    if (response.socket !== null) {
      pass();
      return;
    }
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count > MAX_WAITING) {
      socket.destroy();
      return;
    }
    // Emitted only if the response before it left the connection open.
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 0) - 1);
      pass();
    });
  });
}

/** A sender of HTTP/1.0 may not know transfer codings: where its next request begins is uncertain. RFC 9112 section 6.1. */
function closeAfterFaultyFraming(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersion === '1.0' && request.headers['transfer-encoding'] !== undefined) {
    response.shouldKeepAlive = false;
  }
}

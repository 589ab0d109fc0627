import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Makes pipelined responses emit `close` if their connection ends before their turn. Node.js assigns a pipelined response its
 * socket only when the response before it has finished. If the connection ends first, Node.js emits nothing, and the handler of
 * the request would never learn that its client is gone.
 */
export function closePipelinedResponses(server: Server): void {
  // This listener comes first, so that no response is missed.
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) {
      return;
    }
    const onLost = (): void => {
      if (response.socket === null && !response.writableFinished) {
        response.destroy();
        response.emit('close');
      }
    };
    request.socket.once('close', onLost);
    response.once('close', () => request.socket.off('close', onLost));
  });
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Gives responses that wait for their turn on a connection the `close` event of those that have it. Node.js hands a
 * pipelined response its socket only once the one before is finished; where the connection ends first it never emits
 * anything, and whoever works on the answer would never learn that nobody wants it.
 */
export function closePipelinedResponses(server: Server): void {
  // Before everybody else's, so that no response is missed.
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

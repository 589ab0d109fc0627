import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * The responses that a server owes at this moment. Once told that the end is near, each says so to its client, which
 * then opens its next connection elsewhere instead of meeting a closed one.
 */
export class ResponsesInFlight {
  private readonly responses = new Set<ServerResponse>();
  private isEnding = false;

  constructor(server: Server) {
    // Before everybody else's, so that nothing can have been answered yet.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive &&= !this.isEnding;
      this.responses.add(response);
      response.once('close', () => this.responses.delete(response));
    });
  }

  get count(): number {
    return this.responses.size;
  }

  /** From now on every answer that has not begun closes its connection. */
  announceEnd(): void {
    this.isEnding = true;
    for (const response of this.responses) {
      response.shouldKeepAlive = false;
    }
  }
}

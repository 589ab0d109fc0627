import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** Other relays let go of a connection that has been idle for 4 s; this is past that by what the news may take. */
const LET_GO_AFTER_MS = 4_500;

/** What is known of one open connection. */
interface Connection {
  /**
   * Answers that have not ended. Not in one set for all connections: a set that lives long makes its tables anew among
   * what is old, again and again, and every answer in them would grow old with its request.
   */
  readonly owed: ServerResponse[];
  /** When the last one ended, or the connection came about, on the clock of `performance.now()`. */
  idleSinceMs: number;
}

/**
 * The connections of a server, so that it can end without the loss of a request. HTTP/1.1 has no word for "this
 * connection will be closed" but a field of an answer: a request that is on its way when an idle connection is closed
 * is lost, and its sender cannot know whether it was executed.
 */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  /** Those of the network, also where TLS has not come about on them. */
  private readonly accepted = new Set<Socket>();
  private isEnding = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.accepted.add(socket);
      socket.once('close', () => this.accepted.delete(socket));
    });
    // Of TLS, where there is any: requests come from that socket, and not from the one below it.
    const arrival = server instanceof TlsServer ? 'secureConnection' : 'connection';
    server.on(arrival, (socket: Socket) => {
      this.open.set(socket, { owed: [], idleSinceMs: performance.now() });
      socket.once('close', () => this.open.delete(socket));
    });
    // Before everybody else's, so that nothing can have been answered yet.
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive &&= !this.isEnding;
      const connection = this.open.get(socket);
      if (connection !== undefined) {
        owe(connection, response);
      }
    });
  }

  /** Answers that are owed at this moment. */
  get owed(): number {
    return [...this.open.values()].reduce((count, { owed }) => count + owed.length, 0);
  }

  /**
   * From now on every answer that has not begun closes its connection, so that the client opens its next elsewhere. Idle
   * connections are left to `closeIdle`, also when the server is closed: Node.js would then close them all at once.
   */
  announceEnd(): void {
    this.isEnding = true;
    this.server.closeIdleConnections = () => undefined;
    for (const { owed } of this.open.values()) {
      for (const response of owed) {
        response.shouldKeepAlive = false;
      }
    }
  }

  /** Closes the connections that have been idle for so long that another relay has let go of them. */
  closeIdle(): void {
    const letGoBeforeMs = performance.now() - LET_GO_AFTER_MS;
    for (const [socket, { owed, idleSinceMs }] of this.open) {
      if (owed.length === 0 && idleSinceMs <= letGoBeforeMs) {
        socket.destroy();
      }
    }
  }

  /** Closes all connections. Node.js itself would leave those that are still in their TLS handshake. */
  closeAll(): void {
    this.server.closeAllConnections();
    for (const socket of this.accepted) {
      socket.destroy();
    }
  }
}

function owe(connection: Connection, response: ServerResponse): void {
  const { owed } = connection;
  owed.push(response);
  response.once('close', () => {
    owed.splice(owed.indexOf(response), 1);
    connection.idleSinceMs = performance.now();
  });
}

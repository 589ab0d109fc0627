import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** Other relays do not reuse a connection that was idle for 4 s. The rest is a margin for requests that are on their way. */
const UNUSED_AFTER_MS = 4_500;

/** The state of one open connection. */
interface Connection {
  /** The server that accepted it. */
  readonly server: Server;
  /**
   * Responses that have not ended. They are not kept in one set for all connections: a long-lived set reallocates its tables in
   * the old generation of the heap again and again, and each response in them would be kept alive there with its request.
   */
  readonly pending: ServerResponse[];
  /** When the last response ended, or the connection was accepted if there was none, by the clock of `performance.now()`. */
  idleSinceMs: number;
}

/**
 * Tracks the connections of servers, so that they can shut down without losing a request. In HTTP/1.1, a server can only
 * announce in a response that it will close the connection. If it closes an idle connection while a request is on its way, that
 * request is lost, and its sender cannot know whether it was executed.
 */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  /** All TCP connections, including those whose TLS handshake is not complete. */
  private readonly accepted = new Set<Socket>();
  private readonly servers = new Set<Server>();
  /** Those whose responses announce that they close. */
  private readonly ending = new WeakSet<Server>();

  /** Tracks the connections of one more server, until it is closed. */
  watch(server: Server): void {
    this.servers.add(server);
    server.once('close', () => {
      this.forget(server);
    });
    server.on('connection', (socket: Socket) => {
      this.accepted.add(socket);
      socket.once('close', () => this.accepted.delete(socket));
    });
    // With TLS, requests belong to the TLS socket, not to the TCP socket below it.
    const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
    server.on(opened, (socket: Socket) => {
      this.open.set(socket, { server, pending: [], idleSinceMs: performance.now() });
      socket.once('close', () => this.open.delete(socket));
    });
    // A channel ends in its own way.
    server.on('upgrade', ({ socket }: IncomingMessage) => this.open.delete(socket));
    // This listener comes first, so that no other one can have sent a response yet.
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive &&= !this.ending.has(server);
      const connection = this.open.get(socket);
      if (connection !== undefined) {
        track(connection, response);
      }
    });
  }

  /** Tracks a server no longer, which has no connections. */
  forget(server: Server): void {
    this.servers.delete(server);
  }

  /** Number of connections that are open at this moment. */
  get count(): number {
    return this.accepted.size;
  }

  /** Number of responses that have not ended. */
  get pendingResponses(): number {
    return [...this.open.values()].reduce((count, { pending }) => count + pending.length, 0);
  }

  /**
   * From now on, every response whose head has not been sent closes its connection, so that the client opens its next one
   * elsewhere. Idle connections are left to `closeIdle` even when a server is closed: Node.js would close them all then.
   *
   * @param only - the one server that ends; all of them by default
   */
  announceEnd(only?: Server): void {
    for (const server of only === undefined ? this.servers : [only]) {
      this.ending.add(server);
      server.closeIdleConnections = () => undefined;
    }
    for (const { server, pending } of this.open.values()) {
      for (const response of this.ending.has(server) ? pending : []) {
        response.shouldKeepAlive = false;
      }
    }
  }

  /** Closes the connections of servers that end once they have been idle for so long that no other relay uses them any more. */
  closeIdle(): void {
    const unusedSinceMs = performance.now() - UNUSED_AFTER_MS;
    for (const [socket, { server, pending, idleSinceMs }] of this.open) {
      if (this.ending.has(server) && pending.length === 0 && idleSinceMs <= unusedSinceMs) {
        socket.destroy();
      }
    }
  }

  /** Closes all connections, including those still in their TLS handshake, which Node.js would leave open. */
  closeAll(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
    }
    for (const socket of this.accepted) {
      socket.destroy();
    }
  }
}

function track(connection: Connection, response: ServerResponse): void {
  const { pending } = connection;
  pending.push(response);
  response.once('close', () => {
    pending.splice(pending.indexOf(response), 1);
    connection.idleSinceMs = performance.now();
  });
}

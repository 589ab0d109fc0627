import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** The most connections at the same time: more than browsers, scrapers and probes need. */
export const MAX_ADMIN_CONNECTIONS = 128;

/**
 * Limits the connections of the admin listener. For one more than the most, the oldest is closed, so that whoever keeps many open
 * keeps no probe out.
 */
export class AdminConnections {
  /** In the order in which they were accepted. */
  private readonly open = new Set<Socket>();

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const [oldest] = this.open;
      if (this.open.size >= MAX_ADMIN_CONNECTIONS) {
        oldest?.destroy();
      }
      this.open.add(socket);
      socket.once('close', () => this.open.delete(socket));
    });
  }

  /** The connection lasts: it has another limit, and does not make way. */
  keep(socket: Socket): void {
    this.open.delete(socket);
  }
}

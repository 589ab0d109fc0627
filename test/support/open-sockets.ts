import type { Server, Socket } from 'node:net';

const WAIT_LIMIT_MS = 10_000;

/** Counts the connections that a server has. To be made before they are. */
export class OpenSockets {
  private readonly sockets = new Set<Socket>();
  private readonly watchers = new Set<() => void>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      this.tell();
      socket.once('close', () => {
        this.sockets.delete(socket);
        this.tell();
      });
    });
  }

  get count(): number {
    return this.sockets.size;
  }

  /** Resolves once there are as many as that; rejects after a limit. */
  until(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        if (this.count === count) {
          clearTimeout(timer);
          this.watchers.delete(watcher);
          resolve();
        }
      };
      const timer = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new Error(`${this.count} connections are open instead of ${count}`));
      }, WAIT_LIMIT_MS);
      this.watchers.add(watcher);
      watcher();
    });
  }

  private tell(): void {
    for (const watcher of this.watchers) {
      watcher();
    }
  }
}

import type { Server, Socket } from 'node:net';

const WAIT_LIMIT_MS = 40_000;

/** Counts a server's open connections. Create it before the first connection. */
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

  /** Resolves once exactly `count` connections are open; rejects after 10 seconds. */
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

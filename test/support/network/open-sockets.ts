import type { Server, Socket } from 'node:net';

const WAIT_LIMIT_MS = 40_000;
const LOOK_INTERVAL_MS = 100;

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

  /**
   * Resolves once exactly `count` connections are open; rejects after 40 seconds. To have none, it ends those on which nothing
   * has come: a relay that lost a connection opens another, and keeps it for four seconds if no request comes.
   */
  until(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        clearInterval(look);
        this.watchers.delete(watcher);
      };
      const watcher = (): void => {
        if (this.count === count) {
          stop();
          resolve();
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${this.count} connections are open instead of ${count}`));
      }, WAIT_LIMIT_MS);
      let known = new Set<Socket>();
      const look = setInterval(() => {
        if (count === 0) {
          known = this.endUnused(known);
        }
      }, LOOK_INTERVAL_MS);
      this.watchers.add(watcher);
      watcher();
    });
  }

  /** @param known - those that were unused before; @returns those that are now */
  private endUnused(known: ReadonlySet<Socket>): Set<Socket> {
    const unused = [...this.sockets].filter(({ bytesRead }) => bytesRead === 0);
    for (const socket of unused.filter((each) => known.has(each))) {
      socket.destroy();
    }
    return new Set(unused);
  }

  private tell(): void {
    for (const watcher of this.watchers) {
      watcher();
    }
  }
}

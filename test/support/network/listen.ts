import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A server that listens on a free loopback port. */
export interface Listening {
  readonly port: number;
  /** The http origin of the server. */
  readonly url: string;
  /** Stops listening and destroys every connection. */
  close(): Promise<void>;
}

/**
 * @param port - the port to listen on, for a server that restarts; 0 for a free port
 * @param host - the address to listen on, for a server with several
 */
export async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Tests reset connections on purpose.
    socket.on('error', () => undefined);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** Below the ports that systems hand out, also to the connections of other tests, before this one is listened on. */
const PORTS = [20_000, 32_000] as const;

/** A port that nothing listens on. */
export async function closedPort(server: Server): Promise<number> {
  const port = randomInt(...PORTS);
  try {
    await (await listen(server, port)).close();
    return port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return closedPort(server);
    }
    throw error;
  }
}

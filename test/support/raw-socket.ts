import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from './listen.js';
import { Recorder } from './recorder.js';

/** How the other side ended a connection: in order (`end`), or not (`reset`). */
export type SocketEnd = 'end' | 'reset';

/** One TCP connection, byte by byte. */
export class RawSocket {
  private readonly chunks = new Recorder<Buffer>();
  /** How the other side ended the connection. */
  readonly ended: Promise<SocketEnd>;

  constructor(readonly socket: Socket) {
    this.ended = new Promise((resolve) => {
      socket.once('end', () => {
        // Where data and a reset arrive together, libuv reports an end. A connection that has only ended takes a byte.
        socket.write('\n', (error) => {
          resolve(error == null ? 'end' : 'reset');
        });
        socket.end();
      });
      socket.once('error', () => {
        resolve('reset');
      });
      socket.once('close', () => {
        resolve('reset');
      });
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.chunks.add(chunk);
    });
  }

  /** All that was received so far. */
  get received(): Buffer {
    return Buffer.concat(this.chunks.items);
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Resolves with all that was received once it holds `text`. */
  async until(text: string): Promise<Buffer> {
    await this.chunks.find(() => this.received.includes(text, 0, 'latin1'));
    return this.received;
  }

  /** Everything that the other side sent until it ended the connection. */
  async all(): Promise<Buffer> {
    await this.ended;
    return this.received;
  }

  close(): Promise<void> {
    this.socket.destroy();
    return Promise.resolve();
  }
}

/** Connects to a loopback port. */
export function openSocket(port: number): RawSocket {
  return new RawSocket(connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }));
}

/** Writes all bytes to a port and returns all that comes back until the connection ends. */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = openSocket(port);
  socket.write(bytes);
  const answer = await socket.all();
  await socket.close();
  return answer;
}

export interface RawServer extends Listening {
  readonly connections: Recorder<RawSocket>;
}

/** A TCP server that is no HTTP server, for peers and upstreams that break the rules. */
export async function startRawServer(
  onConnection: (connection: RawSocket) => void,
): Promise<RawServer> {
  const connections = new Recorder<RawSocket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new RawSocket(socket);
    connections.add(connection);
    onConnection(connection);
  });
  return { ...(await listen(server)), connections };
}

import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from './listen.js';
import { Recorder } from '../lifecycle/recorder.js';

/** How the other side ended a connection: normally (`end`) or by a reset (`reset`). */
export type SocketEnd = 'end' | 'reset';

/** One TCP connection, byte by byte. */
export class RawSocket {
  private readonly chunks = new Recorder<Buffer>();
  /** How the other side ended the connection. */
  readonly ended: Promise<SocketEnd>;

  constructor(readonly socket: Socket) {
    this.ended = new Promise((resolve) => {
      socket.once('end', () => {
        // If data and a reset arrive together, libuv reports an end. Only after a reset does writing a byte fail.
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

  /** All bytes received so far. */
  get received(): Buffer {
    return Buffer.concat(this.chunks.items);
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Resolves with all bytes received so far once they contain `text`. */
  async until(text: string): Promise<Buffer> {
    await this.chunks.find(() => this.received.includes(text, 0, 'latin1'));
    return this.received;
  }

  /** Resolves with all bytes that the other side sent, once it has ended the connection. */
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

/** Writes bytes to a port and returns all bytes received until the connection ends. */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = openSocket(port);
  socket.write(bytes);
  const received = await socket.all();
  await socket.close();
  return received;
}

export interface RawServer extends Listening {
  readonly connections: Recorder<RawSocket>;
}

/** A plain TCP server, for peers and upstreams that violate HTTP. */
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

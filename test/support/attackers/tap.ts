import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from '../network/listen.js';
import { Recorder } from '../lifecycle/recorder.js';

/** One connection through the tap. */
export interface TappedConnection {
  /** The connections to the relay that connected, and to the relay behind the tap. */
  readonly near: Socket;
  readonly far: Socket;
  /** All bytes from the near side and from the far side, before any alteration. */
  readonly sent: () => Buffer;
  readonly received: () => Buffer;
  /** Resets the connections on both sides. */
  cut(): void;
}

/**
 * Alters bytes in transit. Returns the bytes to pass on, or undefined to drop them; `from` is the side that sent them.
 */
export type Alteration = (
  chunk: Buffer,
  from: 'near' | 'far',
  connection: TappedConnection,
) => Buffer | undefined;

/** A TCP proxy between two relays that records all bytes. */
export interface Tap extends Listening {
  readonly connections: Recorder<TappedConnection>;
  /** Sets the alteration from now on; undefined passes bytes unchanged. */
  alter(alteration: Alteration | undefined): void;
  /** All bytes in both directions, over all connections. */
  wire(): Buffer;
}

export interface TapOptions {
  /** False keeps no record, for transfers that are too large for memory. */
  readonly records?: boolean;
  /** The port to listen on; a free port by default. */
  readonly port?: number;
}

/** @param inboundPort - port of the relay behind the tap */
export async function startTap(inboundPort: number, options: TapOptions = {}): Promise<Tap> {
  const { records = true, port = 0 } = options;
  const connections = new Recorder<TappedConnection>();
  let alteration: Alteration | undefined;

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: inboundPort, host: '127.0.0.1', noDelay: true });
    const chunks = { near: [] as Buffer[], far: [] as Buffer[] };
    const connection: TappedConnection = {
      near,
      far,
      sent: () => Buffer.concat(chunks.near),
      received: () => Buffer.concat(chunks.far),
      cut: () => {
        near.resetAndDestroy();
        far.resetAndDestroy();
      },
    };
    const pass = (from: 'near' | 'far', source: Socket, sink: Socket): void => {
      source.on('data', (chunk: Buffer) => {
        if (records) {
          chunks[from].push(chunk);
        }
        const passed = alteration === undefined ? chunk : alteration(chunk, from, connection);
        if (passed !== undefined && !sink.destroyed && !sink.write(passed)) {
          source.pause();
        }
      });
      sink.on('drain', () => source.resume());
      source.on('end', () => sink.end());
      source.on('error', () => sink.resetAndDestroy());
      source.on('close', () => sink.destroy());
    };
    pass('near', near, far);
    pass('far', far, near);
    connections.add(connection);
  });

  return {
    ...(await listen(server, port)),
    connections,
    alter: (next) => {
      alteration = next;
    },
    wire: () =>
      Buffer.concat(
        connections.items.flatMap((connection) => [connection.sent(), connection.received()]),
      ),
  };
}

import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from './listen.js';
import { Recorder } from './recorder.js';

/** One connection through the tap. */
export interface TappedConnection {
  /** The relay that connected, and the one that was connected to. */
  readonly near: Socket;
  readonly far: Socket;
  /** All bytes that came from the near side, and from the far side, before any alteration. */
  readonly sent: () => Buffer;
  readonly received: () => Buffer;
  /** Breaks both sides off with a reset. */
  cut(): void;
}

/**
 * What becomes of bytes on their way: they themselves, others, or undefined to swallow them. `from` says who sent them.
 */
export type Alteration = (
  chunk: Buffer,
  from: 'near' | 'far',
  connection: TappedConnection,
) => Buffer | undefined;

/** A TCP proxy that stands between two relays and records what passes. */
export interface Tap extends Listening {
  readonly connections: Recorder<TappedConnection>;
  /** From now on bytes pass through this; undefined lets them pass unchanged. */
  alter(alteration: Alteration | undefined): void;
  /** Everything that passed in both directions, over all connections. */
  wire(): Buffer;
}

export interface TapOptions {
  /** False: keeps no record, for transfers that are larger than memory should hold. */
  readonly records?: boolean;
  /** Where to listen; a free port otherwise. */
  readonly port?: number;
}

/** @param target - port of the relay behind the tap */
export async function startTap(target: number, options: TapOptions = {}): Promise<Tap> {
  const { records = true, port = 0 } = options;
  const connections = new Recorder<TappedConnection>();
  let alteration: Alteration | undefined;

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
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
    const pass = (from: 'near' | 'far', source: Socket, target: Socket): void => {
      source.on('data', (chunk: Buffer) => {
        if (records) {
          chunks[from].push(chunk);
        }
        const passed = alteration === undefined ? chunk : alteration(chunk, from, connection);
        if (passed !== undefined && !target.destroyed && !target.write(passed)) {
          source.pause();
        }
      });
      target.on('drain', () => source.resume());
      source.on('end', () => target.end());
      source.on('error', () => target.resetAndDestroy());
      source.on('close', () => target.destroy());
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

import { Client, type Dispatcher, type Pool, type buildConnector } from 'undici';

import { Connection } from './connection.js';

/**
 * How long a connection is used. A name may come to mean other addresses, and under load a connection would otherwise keep the
 * old address for ever.
 */
export const MAX_CONNECTION_AGE_MS = 300_000;

/** Connections that were opened together do not all end together: each has a limit of its own, at least this part of the longest. */
const LEAST_SHARE_OF_AGE = 0.8;

/** The text of the error that ends a connection of that age. */
export const CONNECTION_TOO_OLD = 'connection too old';

/** Has the connection of a request, as long as there is one. */
export interface ConnectionHolder {
  readonly connection: Connection | undefined;
}

/** What a sender of requests may ask of the clients of `connectionClients`, besides undici's own options. */
export interface ConnectionDispatchOptions extends Dispatcher.DispatchOptions {
  /** Is told, before the request is sent, who will have its connection. */
  readonly sender?: { onClient(holder: ConnectionHolder): void };
}

/** undici's client, which has one connection at a time, and knows that connection. */
class ConnectionClient extends Client implements ConnectionHolder {
  connection: Connection | undefined;

  constructor(
    origin: URL,
    options: Client.Options,
    private readonly monotonicMs: () => number,
  ) {
    const connect = options.connect as buildConnector.connector;
    super(origin, {
      ...options,
      connect: (target, callback) => {
        connect(target, (...[error, socket]) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          const connection = new Connection(socket, monotonicMs() + usableForMs());
          this.connection = connection;
          // A pool keeps its clients, as many as there ever were at once.
          socket.once('close', () => {
            // One that was handed over may outlast those after it.
            if (this.connection === connection) {
              this.connection = undefined;
            }
          });
          callback(null, socket);
        });
      },
    });
  }

  /** A pool asks a client only if its connection, if any, is idle. */
  override dispatch(
    options: ConnectionDispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const { connection } = this;
    if (connection !== undefined && this.monotonicMs() >= connection.usableUntilMs) {
      // undici sends the request once the connection is closed, on another one.
      connection.closeIdle(CONNECTION_TOO_OLD);
    }
    options.sender?.onClient(this);
    return super.dispatch(options, handler);
  }
}

/** How long the next connection is used. */
function usableForMs(): number {
  const share = LEAST_SHARE_OF_AGE + (1 - LEAST_SHARE_OF_AGE) * Math.random();
  return share * MAX_CONNECTION_AGE_MS;
}

/**
 * The clients of a pool whose exchanges know their connections. These connections end at an age of 80 to 100 % of
 * `MAX_CONNECTION_AGE_MS`, between two exchanges, and undici does not see the interim responses that they receive.
 *
 * @param monotonicMs - the clock that tells the age
 * @returns the `factory` of a pool with a `pipelining` of at most 1
 */
export function connectionClients(monotonicMs: () => number): NonNullable<Pool.Options['factory']> {
  return (origin, options) => new ConnectionClient(origin, options, monotonicMs);
}

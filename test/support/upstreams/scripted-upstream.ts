import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { listen, type Listening } from '../network/listen.js';
import { OpenSockets } from '../network/open-sockets.js';
import { RawMessageReader, type Field, type Framing, type RawHead } from '../network/raw-http.js';
import { Recorder } from '../lifecycle/recorder.js';

/** A request as the upstream received it on the wire. */
export interface SeenRequest {
  readonly head: RawHead;
  readonly framing: Framing;
  readonly body: Buffer;
  readonly trailers: readonly Field[];
  /** Whether its body was complete. */
  readonly isComplete: boolean;
}

/** One request at a scripted upstream, available from its head on. */
export interface ScriptedExchange {
  readonly head: RawHead;
  readonly socket: Socket;
  /** The part of the request that has arrived. */
  readonly seen: () => SeenRequest;
  /** Resolves with the request once it is complete or its connection has ended. */
  readonly whole: Promise<SeenRequest>;
  /** Writes bytes, and waits if the socket's buffer is full. */
  readonly write: (bytes: Buffer | string) => Promise<void>;
}

export type Script = (exchange: ScriptedExchange) => void | Promise<void>;

/** An upstream that reads and writes HTTP byte by byte, without normalising it. */
export interface ScriptedUpstream extends Listening {
  readonly exchanges: Recorder<ScriptedExchange>;
  readonly sockets: OpenSockets;
  /** Sets the script that responds to requests from now on. */
  follow(script: Script): void;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Responds with 200 once the request is complete. */
export const respondOk: Script = async ({ whole, write }) => {
  await whole;
  await write(OK);
};

export async function startScriptedUpstream(first: Script = respondOk): Promise<ScriptedUpstream> {
  const exchanges = new Recorder<ScriptedExchange>();
  let script = first;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    readRequests(socket, (exchange) => {
      exchanges.add(exchange);
      Promise.resolve(script(exchange)).catch(() => socket.destroy());
    });
  });
  const sockets = new OpenSockets(server);
  return {
    ...(await listen(server)),
    exchanges,
    sockets,
    follow: (next) => {
      script = next;
    },
  };
}

/** Splits the bytes of a connection into requests; bytes that follow one request belong to the next. */
function readRequests(socket: Socket, onRequest: (exchange: ScriptedExchange) => void): void {
  let current = newRequest(socket);
  socket.on('data', (chunk: Buffer) => {
    for (let bytes = chunk; bytes.length > 0;) {
      const { reader } = current;
      const hadHead = reader.head !== undefined;
      reader.push(bytes);
      if (!hadHead && reader.head !== undefined) {
        onRequest(current.exchange(reader.head));
      }
      if (!reader.isComplete) {
        return;
      }
      current.settle();
      bytes = reader.rest;
      current = newRequest(socket);
    }
  });
  // A relay that closes its connection sends nothing more, and no longer reads.
  socket.once('end', () => socket.end());
  socket.once('close', () => {
    current.settle();
  });
}

function newRequest(socket: Socket) {
  const reader = new RawMessageReader({ kind: 'request' });
  const seen = (): SeenRequest => ({
    head: reader.head ?? { startLine: '', fields: [] },
    framing: reader.framing,
    body: reader.body,
    trailers: reader.trailers,
    isComplete: reader.isComplete,
  });
  let settle = (): void => undefined;
  const whole = new Promise<SeenRequest>((resolve) => {
    settle = () => {
      resolve(seen());
    };
  });
  return {
    reader,
    settle: () => {
      settle();
    },
    exchange: (head: RawHead): ScriptedExchange => ({
      head,
      socket,
      seen,
      whole,
      write: async (bytes) => {
        if (!socket.write(bytes, 'latin1')) {
          await once(socket, 'drain');
        }
      },
    }),
  };
}

import type { Socket } from 'node:net';

import type { buildConnector } from 'undici';

import { silentResetOf } from './silent-reset.js';

/** What a write fails with once the other side has closed the connection. */
const CLOSED_CODES: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

type WriteDone = (error?: Error | null) => void;

/**
 * A connector whose connections are read to their end before a lost connection becomes their outcome. A server that has responded
 * and closed while a request was still being sent leaves both on the connection: its response, which can still be read, and an
 * error for the next write. Node.js destroys the socket at that error, and undici would not see the response.
 *
 * @param connect - establishes the connections
 */
export function readingFirst(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      readFirst(socket);
      callback(null, socket);
    });
  };
}

function readFirst(socket: Socket): void {
  let failure: Error | undefined;
  const write = socket._write.bind(socket);
  const writeMany = socket._writev?.bind(socket);
  const push = socket.push.bind(socket);
  const whenRead =
    (done: WriteDone): WriteDone =>
    (error) => {
      if (isClosed(error) && !socket.readableEnded) {
        // Without a call of `done` the write remains pending, and nothing more is written.
        failure = error;
      } else {
        done(error);
      }
    };
  socket._write = (chunk, encoding, done) => {
    write(chunk, encoding, whenRead(done));
  };
  socket._writev = (chunks, done) => {
    writeMany?.(chunks, whenRead(done));
  };
  socket.push = (chunk: Buffer | null, encoding) => {
    if (chunk === null) {
      failure ??= silentResetOf(socket);
    }
    if (chunk !== null || failure === undefined) {
      return push(chunk, encoding);
    }
    destroyWhenRead(socket, failure);
    return false;
  };
}

/** Destroys the socket with this error when everything that has arrived has been read. */
function destroyWhenRead(socket: Socket, error: Error): void {
  if (socket.readableLength === 0) {
    socket.destroy(error);
  }
  const read = socket.read.bind(socket);
  socket.read = (size) => {
    const bytes: unknown = read(size);
    // Not with the last bytes: undici ignores the end of a response whose socket is already destroyed.
    if (bytes === null && socket.readableLength === 0) {
      socket.destroy(error);
    }
    return bytes;
  };
}

function isClosed(error: (Error & { readonly code?: string }) | null | undefined): error is Error {
  return error != null && CLOSED_CODES.has(error.code);
}

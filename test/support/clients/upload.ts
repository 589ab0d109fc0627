import type { Socket } from 'node:net';

const PIECE = Buffer.alloc(65_536, 'x');

/** An upload in progress. */
export interface Upload {
  /** How many bytes have been written so far, whether or not they have been sent. */
  readonly written: number;
  /** Resolves with that number once all bytes are written or the connection has ended. */
  readonly done: Promise<number>;
}

/** Writes this many bytes and respects back-pressure. If the connection fails, the upload ends without an error. */
export function upload(socket: Socket, bytes: number): Upload {
  let written = 0;
  const writeAll = async (): Promise<number> => {
    while (written < bytes && !socket.destroyed) {
      const piece = PIECE.subarray(0, Math.min(PIECE.length, bytes - written));
      written += piece.length;
      if (!socket.write(piece)) {
        await drained(socket);
      }
    }
    return written;
  };
  const done = writeAll();
  return {
    get written() {
      return written;
    },
    done,
  };
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
  });
}

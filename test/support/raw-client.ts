import { connect, type Socket } from 'node:net';

import { RawMessageReader, type Field, type RawHead } from './raw-http.js';

/** An answer as it stood on the wire at the client. */
export interface GotAnswer {
  readonly head: RawHead | undefined;
  readonly body: Buffer;
  readonly informational: readonly RawHead[];
  readonly trailers: readonly Field[];
  /** Whether the answer came to the end that its framing promises, with nothing behind it. */
  readonly isComplete: boolean;
  /** What came behind it. */
  readonly rest: Buffer;
  /** How the connection ended: in order, by a reset, or not at all where the answer came first. */
  readonly ended: 'end' | 'reset' | 'open';
}

export interface RawClientRequest {
  readonly port: number;
  /** What an answer to HEAD means depends on it. */
  readonly method: string;
  /** Written one after another, each once the one before has left. */
  readonly bytes: readonly Buffer[];
  /** Called once with the answer so far, as soon as it holds this text in its body. */
  readonly onPart?: { readonly text: string; readonly call: () => void };
}

/** Sends bytes and reads one answer, until the connection ends: what is behind the answer would be seen. */
export async function exchangeBytes(request: RawClientRequest): Promise<GotAnswer> {
  const socket = connect({ port: request.port, host: '127.0.0.1', noDelay: true });
  const reader = new RawMessageReader({ kind: 'answer', method: request.method });
  let { onPart } = request;
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    if (onPart !== undefined && reader.body.includes(onPart.text)) {
      onPart.call();
      onPart = undefined;
    }
  });
  const ended = endOf(socket);
  await writeAll(socket, request.bytes);
  const how = await ended;
  if (how === 'end') {
    reader.end();
  }
  socket.destroy();
  return {
    head: reader.head,
    body: reader.body,
    informational: reader.informational,
    trailers: reader.trailers,
    isComplete: reader.isComplete && reader.rest.length === 0,
    rest: reader.rest,
    ended: how,
  };
}

function endOf(socket: Socket): Promise<'end' | 'reset'> {
  return new Promise((resolve) => {
    socket.once('end', () => {
      resolve('end');
    });
    socket.once('error', () => {
      resolve('reset');
    });
  });
}

/** An answer may come before all is written; what is left then does not matter. */
async function writeAll(socket: Socket, bytes: readonly Buffer[]): Promise<void> {
  for (const piece of bytes) {
    if (socket.destroyed || socket.writableEnded) {
      return;
    }
    await new Promise<void>((resolve) => {
      socket.write(piece, () => {
        resolve();
      });
    });
  }
}

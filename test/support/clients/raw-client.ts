import { connect, type Socket } from 'node:net';

import { RawMessageReader, type Field, type RawHead } from '../network/raw-http.js';

/** A response as the client received it on the wire. */
export interface ReceivedResponse {
  readonly head: RawHead | undefined;
  readonly body: Buffer;
  readonly informational: readonly RawHead[];
  readonly trailers: readonly Field[];
  /** Whether the response was complete according to its framing, and no bytes followed it. */
  readonly isComplete: boolean;
  /** The bytes that followed the response. */
  readonly rest: Buffer;
  /** How the connection ended: normally or by a reset; `open` if it had not ended when the response was complete. */
  readonly ended: 'end' | 'reset' | 'open';
}

export interface RawClientRequest {
  readonly port: number;
  /** The method of the request: a response to HEAD has no body. */
  readonly method: string;
  /** Written in turn, each after the previous one has been sent. */
  readonly bytes: readonly Buffer[];
  /** `call` is called once, as soon as the body received so far contains `text`. */
  readonly onPart?: { readonly text: string; readonly call: () => void };
}

/** Sends bytes and reads one response, until the connection ends: bytes that follow the response are noticed. */
export async function exchangeBytes(request: RawClientRequest): Promise<ReceivedResponse> {
  const socket = connect({ port: request.port, host: '127.0.0.1', noDelay: true });
  const reader = new RawMessageReader({ kind: 'response', method: request.method });
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

/** Stops early if the connection ends: a response may arrive before all bytes are written. */
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

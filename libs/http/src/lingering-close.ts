import type { Socket } from 'node:net';

import { IdleTimer } from './idle-timer.js';
import { countReceived } from './received-bytes.js';

/** The limits of nginx (`lingering_time`, `lingering_timeout`), and one on bytes. protocol.md section 7. */
const MAX_LINGER_MS = 30_000;
const MAX_SILENCE_MS = 5_000;
const MAX_DISCARDED_BYTES = 1024 ** 3;

/** Such connections take no place of a request, so they have a limit of their own: anybody can cause them. */
const MAX_LINGERING = 1_000;

/** The connections of this process that linger, the oldest first. */
const lingering = new Set<Socket>();

/**
 * Lets a connection end as nginx does after a response to a request that has not ended. A connection that is closed while bytes
 * of the client are unread, or still on their way, is reset, and the reset can take the response from a client that reads it only
 * after its upload. So what arrives is read and discarded, from this call on. Once the response has been written, the connection
 * is closed for writing; it ends when the client closes it too, or at the first limit.
 *
 * Call it when nothing else reads from the connection, and all of the response has been handed over: Node.js then closes a
 * connection that is not kept alive through `destroySoon`, as everybody else has to.
 */
export function lingeringClose(socket: Socket): void {
  if (socket.destroyed) {
    return;
  }
  let discarded = 0;
  let hasEnded = false;
  const silence = new IdleTimer(MAX_SILENCE_MS, () => {
    socket.destroy();
  });
  const onData = (chunk: Buffer): void => {
    countReceived(chunk.length);
    discarded += chunk.length;
    if (hasEnded) {
      silence.touch();
    }
    if (discarded > MAX_DISCARDED_BYTES) {
      socket.off('data', onData).pause();
      if (hasEnded) {
        socket.destroy();
      }
    }
  };
  takeOver(socket, onData);
  socket.destroySoon = (): void => {
    if (hasEnded) {
      return;
    }
    hasEnded = true;
    socket.end();
    if (discarded > MAX_DISCARDED_BYTES) {
      socket.destroy();
      return;
    }
    silence.touch();
    const limit = setTimeout(() => socket.destroy(), MAX_LINGER_MS);
    makeRoom();
    lingering.add(socket);
    socket.once('close', () => {
      silence.stop();
      clearTimeout(limit);
      lingering.delete(socket);
    });
  };
}

/**
 * Takes a connection away from whoever reads it, above all from Node.js's parser, which would pass on what follows the request,
 * and report the end of a client that gives up its upload. The parser has to be reading then: once it is gone, nothing starts a
 * connection again that it has stopped because nobody read the request.
 */
function takeOver(socket: Socket, onData: (chunk: Buffer) => void): void {
  const take = (): void => {
    for (const event of ['data', 'readable', 'end']) {
      socket.removeAllListeners(event);
    }
    socket.on('data', onData).resume();
  };
  if (socket.isPaused()) {
    socket.once('resume', take).resume();
  } else {
    take();
  }
}

/** The oldest connection has had the most time to read its response. */
function makeRoom(): void {
  const [oldest] = lingering;
  if (oldest !== undefined && lingering.size >= MAX_LINGERING) {
    lingering.delete(oldest);
    oldest.destroy();
  }
}

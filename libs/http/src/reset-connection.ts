import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection in such a way that the other side cannot mistake what it has received for a complete message: by a TCP
 * reset. Node.js offers no reset for TLS sockets, so these are closed without close_notify, which has the same meaning.
 */
export function resetConnection(socket: Socket | null): void {
  if (socket === null || socket.destroyed) {
    return;
  }
  if (socket instanceof TLSSocket || isBeingShutDown(socket)) {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}

/** While the end of this side is on its way behind everything else, libuv refuses a reset, and would leave the socket open. */
function isBeingShutDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}

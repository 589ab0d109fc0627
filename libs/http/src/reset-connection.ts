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
  if (socket instanceof TLSSocket) {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection so that its peer cannot take what it got for a whole message: a TCP reset. Over TLS, which has no
 * such call, the socket is closed without close_notify, which says the same.
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

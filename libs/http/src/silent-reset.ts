import type { Socket } from 'node:net';

/** The part of a socket's handle that tells whether it is connected. Node.js does not document it. */
interface Handle {
  getpeername?(address: object): number;
}

/**
 * The reset that is reported as an orderly end. The system reports a reset once, and then an end: if a write was told, the reader
 * is not. libuv, as of Node.js 20, does not even ask if the reset comes with the last bytes. With an end, what was cut off
 * would seem complete.
 */
export function silentResetOf(socket: Socket): Error | undefined {
  if (socket.writableEnded) {
    // Both sides have ended, so that there is no other side either way. Only an upgraded connection may end its own first.
    return undefined;
  }
  const { _handle: handle } = socket as { readonly _handle?: Handle | null };
  // After an orderly end, a connection still has its other side.
  const isConnected = (handle?.getpeername?.({}) ?? 0) === 0;
  return isConnected
    ? undefined
    : Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

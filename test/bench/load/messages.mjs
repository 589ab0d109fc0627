/** Bulk data on a WebSocket, as both ends send it. */
import { Buffer } from 'node:buffer';

/** @import { WebSocket } from 'ws' */

const MESSAGE = Buffer.alloc(65_536, 'x');
/** How much may wait in this process. */
const MAX_BUFFERED_BYTES = 2 ** 20;

/**
 * Sends messages of 64 KiB.
 *
 * @param {WebSocket} socket
 * @param {number} bytes - a multiple of the size of a message
 */
export async function sendMessages(socket, bytes) {
  for (let left = bytes; left > 0; left -= MESSAGE.length) {
    const sent = new Promise((resolve) => {
      socket.send(MESSAGE, resolve);
    });
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      await sent;
    }
  }
}

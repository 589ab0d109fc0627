import type { Socket } from 'node:net';

import { countReceived } from '../received-bytes.js';
import { resetConnection } from '../reset-connection.js';
import { silentResetOf } from '../silent-reset.js';
import type { OctetEnd, OctetEvents } from './octet-end.js';

/** A socket, after HTTP on it has ended, as one end of a connection. */
export class SocketEnd implements OctetEnd {
  constructor(private readonly socket: Socket) {}

  listen(events: OctetEvents): void {
    const { socket } = this;
    // Each direction ends on its own.
    socket.allowHalfOpen = true;
    let cause = new Error('the connection was closed');
    socket.on('data', (octets: Buffer) => {
      countReceived(octets.length);
      if (!events.onData(octets)) {
        socket.pause();
      }
    });
    socket.on('end', () => {
      const reset = silentResetOf(socket);
      if (reset === undefined) {
        events.onEnd();
      } else {
        socket.destroy(reset);
      }
    });
    socket.on('drain', () => {
      events.onDrain();
    });
    socket.on('error', (error: Error) => {
      cause = error;
    });
    socket.on('close', () => {
      events.onLost(cause);
    });
    if (socket.destroyed) {
      // Its events have passed.
      events.onLost(socket.errored ?? cause);
    }
  }

  write(octets: Buffer): boolean {
    return this.socket.write(octets);
  }

  end(onEnded: () => void): void {
    this.socket.end((error?: Error | null) => {
      if (error == null) {
        onEnded();
      }
    });
  }

  resume(): void {
    this.socket.resume();
  }

  reset(): void {
    resetConnection(this.socket);
  }
}

import type { ChannelTransport } from '@relay/channel';
import type { WebSocket } from 'ws';

/** Carries each record of a channel as one binary message of a WebSocket. protocol.md section 11.2. */
export class WebSocketTransport implements ChannelTransport {
  /**
   * @param onRoom - called when something has left the socket
   * @param onLost - called when something could not be sent, because the connection ends
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly onRoom: () => void,
    private readonly onLost: (cause: Error) => void,
  ) {}

  get unsentBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(record: Buffer, onLeft: () => void): void {
    this.socket.send(record, (error) => {
      if (error == null) {
        onLeft();
        this.onRoom();
      } else {
        this.onLost(error);
      }
    });
  }

  schedule(flush: () => void): void {
    setImmediate(flush);
  }
}

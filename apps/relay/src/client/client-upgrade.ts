import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { SocketEnd } from '@relay/http';

import type { OfferedConnection } from '../server/upgrades.js';

/** The connection of a client that has asked for an upgrade, until it is granted. */
export class ClientUpgrade {
  /** The protocol, as the client has named it. */
  readonly protocol: string;
  private readonly socket: Socket;

  /** What the client sends from now on waits for the 101. */
  constructor({ headers }: IncomingMessage, { socket, head }: OfferedConnection) {
    this.protocol = headers.upgrade?.trim() ?? '';
    this.socket = socket;
    if (head.length > 0) {
      socket.unshift(head);
    }
    socket.on('readable', this.noticeEnd);
    socket.on('end', this.leave);
  }

  /** Writes the 101. @param fields - of the response, as the client receives them @returns the connection, from then on */
  accept(fields: readonly string[]): SocketEnd {
    const { socket } = this;
    socket.off('readable', this.noticeEnd);
    socket.off('end', this.leave);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade'];
    lines.push(`upgrade: ${this.protocol}`);
    for (let at = 0; at < fields.length; at += 2) {
      lines.push(`${fields[at] ?? ''}: ${fields[at + 1] ?? ''}`);
    }
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    return new SocketEnd(socket);
  }

  /** Without anything that waits, an end can be read; behind something, it waits as well. */
  private readonly noticeEnd = (): void => {
    if (this.socket.readableLength === 0) {
      this.socket.read();
    }
  };

  /** As Node.js does for requests without an upgrade: whoever ends the connection wants no response. */
  private readonly leave = (): void => {
    this.socket.destroy();
  };
}

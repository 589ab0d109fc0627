import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { RelayError } from '@relay/errors';
import { ClientGoneError, Deferred, IdleTimer, SocketEnd } from '@relay/http';

import type { OfferedConnection } from '../server/upgrades.js';

const NOTHING = Buffer.alloc(0);

/** The client did not send the body of its request for an upgrade in time. */
class BodyLateError extends RelayError {
  readonly code = 'RELAY_BODY_IDLE';
  readonly forwarded = 'no';
}

/** The connection of a client that has asked for an upgrade, until it is granted. */
export class ClientUpgrade {
  /** The protocol, as the client has named it. */
  readonly protocol: string;
  private readonly socket: Socket;
  private readonly bodyBytes: number;
  private readonly awaitsContinue: boolean;
  private body: Deferred<Buffer> | undefined;

  /** What the client sends from now on waits for the 101. */
  constructor({ headers }: IncomingMessage, { socket, head }: OfferedConnection) {
    this.protocol = headers.upgrade?.trim() ?? '';
    this.socket = socket;
    this.bodyBytes = Number(headers['content-length'] ?? 0);
    this.awaitsContinue = headers.expect?.trim().toLowerCase() === '100-continue';
    if (head.length > 0) {
      socket.unshift(head);
    }
    socket.on('readable', this.read);
    socket.on('end', this.leave);
  }

  /**
   * Reads the body of the request, which is short. To be called before the request is forwarded.
   *
   * @param limitMs - how long the client may take to send it; 0: no limit
   * @throws BodyLateError, ClientGoneError
   */
  async readBody(limitMs: number): Promise<Buffer> {
    if (this.bodyBytes === 0) {
      return NOTHING;
    }
    if (this.awaitsContinue) {
      // Node.js does so for all other requests. RFC 9110 section 10.1.1.
      this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
    }
    const body = new Deferred<Buffer>();
    const tooSlow = new IdleTimer(limitMs, () => {
      body.reject(new BodyLateError(`the body is not complete after ${limitMs} ms`));
    });
    const onClose = (): void => {
      body.reject(new ClientGoneError('the client has gone away'));
    };
    tooSlow.touch();
    this.socket.once('close', onClose);
    this.body = body;
    this.read();
    try {
      return await body.promise;
    } finally {
      this.body = undefined;
      tooSlow.stop();
      this.socket.off('close', onClose);
    }
  }

  /** Writes the 101. @param fields - of the response, as the client receives them @returns the connection, from then on */
  accept(fields: readonly string[]): SocketEnd {
    const { socket } = this;
    socket.off('readable', this.read);
    socket.off('end', this.leave);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade'];
    lines.push(`upgrade: ${this.protocol}`);
    for (let at = 0; at < fields.length; at += 2) {
      lines.push(`${fields[at] ?? ''}: ${fields[at + 1] ?? ''}`);
    }
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    return new SocketEnd(socket);
  }

  /** Behind the body, everything waits. Without anything that waits, an end can be read. */
  private readonly read = (): void => {
    const { socket, body, bodyBytes } = this;
    const octets = body === undefined ? null : (socket.read(bodyBytes) as Buffer | null);
    if (octets?.length === bodyBytes) {
      // At once: this may be called again before the promise tells anybody.
      this.body = undefined;
      body?.resolve(octets);
    } else if (socket.readableLength === 0) {
      socket.read();
    }
  };

  /** As Node.js does for requests without an upgrade: whoever ends the connection wants no response. */
  private readonly leave = (): void => {
    this.socket.destroy();
  };
}

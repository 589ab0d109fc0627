import type { Socket } from 'node:net';

import { errors } from 'undici';

import { InterimResponses } from './interim-responses.js';

/** One connection of a client, which carries one exchange after the other. */
export class Connection {
  private readonly interim = new InterimResponses();
  private exchanges = 0;
  private isInUse = false;
  private isToClose = false;
  private isHandedOver = false;
  private hasReceived = false;

  /** @param usableUntilMs - by the clock of its client */
  constructor(
    private readonly socket: Socket,
    readonly usableUntilMs: number,
  ) {
    this.filterReads();
  }

  /** A request is about to be written to this connection. */
  beginExchange(): void {
    this.exchanges += 1;
    this.isInUse = true;
    this.hasReceived = false;
    this.interim.expect();
  }

  /** The exchange is over. */
  endExchange(): void {
    this.isInUse = false;
    if (this.isToClose) {
      this.closeIdle('content may follow');
    }
  }

  /** Lets the current exchange be the last, because more may follow its response than belongs to it. */
  closeAfterExchange(): void {
    this.isToClose = true;
  }

  /**
   * Whether the connection had carried an exchange before the current one, of whose response no octet has come. If it is lost
   * now, the server had probably closed it before the request arrived. RFC 9110 section 9.2.2.
   */
  get isUnansweredReuse(): boolean {
    return this.exchanges > 1 && !this.hasReceived;
  }

  /** Whether this error ended the connection. */
  wasLostBy(error: Error): boolean {
    return this.socket.errored === error;
  }

  /** The socket carries another protocol from now on, for as long as its new owner wants. */
  handOver(): void {
    this.isHandedOver = true;
  }

  /** Closes the connection, unless an exchange is under way. */
  closeIdle(reason: string): void {
    if (!this.isInUse && !this.isHandedOver && !this.socket.destroyed) {
      // undici and its listeners take this class for an end that is nobody's fault.
      this.socket.destroy(new errors.InformationalError(reason));
    }
  }

  /** undici calls `read` without a size for everything that it receives, and nothing else does. */
  private filterReads(): void {
    const { socket } = this;
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
    socket.read = (size?: number): Buffer | null => {
      let chunk = read(size);
      while (size === undefined && chunk !== null) {
        const passed = this.receive(chunk);
        if (passed === undefined || passed.length > 0) {
          return passed ?? null;
        }
        chunk = read();
      }
      return chunk;
    };
  }

  private receive(chunk: Buffer): Buffer | undefined {
    this.hasReceived = true;
    try {
      return this.interim.removeFrom(chunk);
    } catch (error) {
      this.socket.destroy(error as Error);
      return undefined;
    }
  }
}

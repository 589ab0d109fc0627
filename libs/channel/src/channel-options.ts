import type { WaitingOctets } from './waiting-octets.js';

/** The connection that carries the records of a channel, one in each message. */
export interface ChannelTransport {
  /** Octets that were sent and have not left the socket. */
  readonly unsentBytes: number;
  /** Sends one record. `onLeft` is called once it has left the socket; never synchronously. */
  send(record: Buffer, onLeft: () => void): void;
  /** Calls `flush` at the end of this turn of the event loop, once. */
  schedule(flush: () => void): void;
}

/** What a channel is made of. */
export interface ChannelOptions {
  /** 32 bytes, for what this side sends. */
  readonly sealingKey: Buffer;
  /** 32 bytes, for what the peer sends. */
  readonly openingKey: Buffer;
  /** Whether the channel is one upgraded connection: type `conn` instead of `chan`. */
  readonly isConnection: boolean;
  /** Octets of each stream that this side accepts at first: 65,536 … 2^31 − 1. */
  readonly initialWindowBytes: number;
  /** What waits for slow consumers in the whole process. */
  readonly waiting: WaitingOctets;
}

/** What a channel tells its user. */
export interface ChannelEvents {
  /** The first record of the peer is authentic: streams may begin. */
  onOpen(): void;
  /** The channel takes no new streams; those that it has go on. */
  onDraining(): void;
  /** A stream was ended by RST_STREAM, for statistics only. @param isOwn - whether this side has sent it */
  onReset(code: number, isOwn: boolean): void;
  /** Both directions have ended in order. Nothing follows. */
  onEnd(): void;
  /** The channel has broken, and all its streams have been told. Nothing follows. */
  onBroken(cause: Error): void;
}

import { StreamCode } from './frame.js';
import type { OutgoingHead } from './sending-side.js';

/** How a stream failed. protocol.md sections 11.3 and 11.7. */
export type StreamFailure =
  /** No record with its head was handed to the transport: nothing can have been forwarded. */
  | 'not-sent'
  /** The peer proves that it did not forward the request and never will: the channel drains. */
  | 'not-forwarded'
  /** The peer proves that it did not forward the request: it has no place. */
  | 'refused'
  /** The peer proves that it did not forward the request: the request breaks a rule. */
  | 'rejected'
  /** The peer ended the stream; what became of the request is unknown. */
  | 'reset'
  /** The body is longer or shorter than its head states. The stream must still be reset. */
  | 'wrong-length'
  /** What waited for the consumer was discarded, because the process has no memory for more. The stream must still be reset. */
  | 'discarded'
  /** The peer takes none of the octets that wait for it. The stream has been reset. */
  | 'stalled'
  /** The channel broke; what became of the request is unknown. */
  | 'broken';

/** What a stream tells its user. The calls must not throw. */
export interface StreamEvents {
  /** The head of the response; only at the relay that opened the stream. @param head - not decoded, not a copy */
  onHead?(head: Buffer, isLast: boolean, isUpgrade: boolean): void;
  /** Octets of the body. @returns false if nothing more is wanted until `resume` is called */
  onData(octets: Buffer): boolean;
  /** The peer's side is complete. */
  onEnd(): void;
  /** The writer that was asked to wait may go on. */
  onDrain(): void;
  /** The response is complete, and the rest of the request is not wanted. */
  onUnwanted(): void;
  /** The stream has failed. Nothing follows. */
  onFailure(failure: StreamFailure, cause?: Error): void;
}

/** One request and its response, or one upgraded connection, in a channel. protocol.md section 11.3. */
export interface Stream {
  /** The number of the stream: odd; 0 as long as nothing of it was sent. */
  readonly id: number;
  /** Says what hears of the stream from now on. */
  listen(events: StreamEvents): void;
  /** Sends the head of the response. */
  start(head: OutgoingHead): void;
  /**
   * Sends octets behind the head.
   *
   * @param octets - kept until they are sent, not copied
   * @returns false if the writer should wait for `onDrain`
   */
  write(octets: Buffer): boolean;
  /** Ends this side, after these octets if there are any: their end is then sent with them. */
  end(octets?: Buffer): void;
  /** Ends the stream: with NO_ERROR behind its own end, otherwise at once. No event follows. */
  reset(code: number): void;
  /** The consumer takes octets again, after `onData` has returned false. */
  resume(): void;
  /** States the length of the peer's body, from its head; undefined if the head states none. To be called with the head. */
  expect(bytes: number | undefined): void;
  /** The exchange with the upstream has ended, so that the stream may give its place away. */
  release(): void;
}

/** What a RST_STREAM of the inbound relay says about the request. protocol.md section 11.3. */
export function failureOf(code: number, hasHead: boolean): StreamFailure {
  if (!hasHead && code === StreamCode.REFUSED_STREAM) {
    return 'refused';
  }
  return !hasHead && code === StreamCode.PROTOCOL_ERROR ? 'rejected' : 'reset';
}

/** What an end of a connection tells. The calls must not throw. */
export interface OctetEvents {
  /** Octets have arrived. @returns false if nothing more is wanted until `resume` is called */
  onData(octets: Buffer): boolean;
  /** Nothing more will arrive: the other side has ended its direction in order. */
  onEnd(): void;
  /** The writer that was asked to wait may go on. */
  onDrain(): void;
  /** The connection is gone, in whatever state it was. May be told also after both directions have ended. */
  onLost(cause: Error): void;
}

/** One end of a connection that carries octets in both directions, each of which ends on its own. */
export interface OctetEnd {
  /** Begins to read. To be called once, before anything else. */
  listen(events: OctetEvents): void;
  /** @returns false if the writer should wait for `onDrain` */
  write(octets: Buffer): boolean;
  /** Ends this direction, behind everything that was written. @param onEnded - called once it has left this process */
  end(onEnded: () => void): void;
  /** Takes octets again, after `onData` has returned false. */
  resume(): void;
  /** Ends both directions at once, in such a way that the other side does not take it for an orderly end. */
  reset(): void;
}

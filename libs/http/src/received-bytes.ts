let report: (bytes: number) => void = () => undefined;

/**
 * Registers the only listener for the sizes of what is received: chunks of bodies, of requests and responses alike, records of
 * channels, and octets of upgraded connections. It is called for every chunk, so it must be cheap.
 */
export function onBytesReceived(listener: (bytes: number) => void): void {
  report = listener;
}

/** Reports the size of a chunk that was received. */
export function countReceived(bytes: number): void {
  report(bytes);
}

let report: (bytes: number) => void = () => undefined;

/**
 * Registers the only listener for the sizes of received body chunks, of requests and responses alike. It is called for every
 * chunk, so it must be cheap.
 */
export function onBytesReceived(listener: (bytes: number) => void): void {
  report = listener;
}

/** Reports the size of a body chunk that was received. */
export function countReceived(bytes: number): void {
  report(bytes);
}

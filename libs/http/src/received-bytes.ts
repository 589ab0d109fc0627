let report: (bytes: number) => void = () => undefined;

/**
 * Registers the one listener that is told how many bytes of bodies this process has received, request and response bodies
 * alike. It is called for every chunk, so it must be cheap.
 */
export function onBytesReceived(listener: (bytes: number) => void): void {
  report = listener;
}

/** Reports a chunk of a body as it was received. */
export function countReceived(bytes: number): void {
  report(bytes);
}

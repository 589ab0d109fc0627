/** Bounds of a back-off, in milliseconds. protocol.md section 9. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The next wait after `failures` failures in a row: doubling, with jitter, so that clients do not come back at once. */
export function backOffMs({ firstMs, maxMs }: BackOffBounds, failures: number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** A single Ctrl-C reaches a process twice if npm, or the primary of its cluster, forwards it as well. */
const SAME_SIGNAL_MS = 500;

/** Handles the signals that tell a process to stop: the first one begins the shutdown, a second one ends it immediately. */
export function onStopSignals(begin: () => void, endAtOnce: () => void): void {
  let beganAtMs: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (beganAtMs === undefined) {
        beganAtMs = performance.now();
        begin();
      } else if (performance.now() - beganAtMs > SAME_SIGNAL_MS) {
        endAtOnce();
      }
    });
  }
}

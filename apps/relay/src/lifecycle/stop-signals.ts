const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** One Ctrl-C reaches a process twice when npm, or the primary of its cluster, passes it on as well. */
const SAME_SIGNAL_MS = 500;

/** Listens to the signals by which processes are told to stop; the second of them means at once. */
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

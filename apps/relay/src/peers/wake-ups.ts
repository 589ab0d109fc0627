/** Those who wait until something has changed, each for a limited time. */
export class WakeUps {
  private readonly waiting = new Set<() => void>();

  /** Resolves when something has changed, and after `limitMs` at the latest. */
  next(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, limitMs);
      this.waiting.add(wake);
    });
  }

  /** Something has changed. */
  wakeAll(): void {
    for (const wake of this.waiting) {
      wake();
    }
  }
}

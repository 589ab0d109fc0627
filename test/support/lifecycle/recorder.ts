const WAIT_LIMIT_MS = 40_000;

/** Records items in order, and lets a test wait for items that are still to come. */
export class Recorder<T> {
  readonly items: T[] = [];
  private readonly watchers = new Set<() => void>();

  add(item: T): void {
    this.items.push(item);
    for (const watcher of this.watchers) {
      watcher();
    }
  }

  /** Resolves with the first item that matches, recorded or still to come. Rejects after `limitMs`. */
  find(matches: (item: T) => boolean = () => true, limitMs = WAIT_LIMIT_MS): Promise<T> {
    return this.when(() => this.items.find(matches), limitMs);
  }

  /** Resolves with the items as soon as there are at least `count`. Rejects after `limitMs`. */
  count(count: number, limitMs = WAIT_LIMIT_MS): Promise<T[]> {
    return this.when(() => (this.items.length >= count ? this.items : undefined), limitMs);
  }

  private when<R>(look: () => R | undefined, limitMs: number): Promise<R> {
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        const found = look();
        if (found !== undefined) {
          clearTimeout(timer);
          this.watchers.delete(watcher);
          resolve(found);
        }
      };
      const timer = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new Error(`not recorded within ${limitMs} ms; ${this.items.length} items so far`));
      }, limitMs);
      this.watchers.add(watcher);
      watcher();
    });
  }
}

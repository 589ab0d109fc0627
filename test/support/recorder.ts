const WAIT_LIMIT_MS = 10_000;

/** What happened so far, in order, and a way to wait for what is still to happen. */
export class Recorder<T> {
  readonly items: T[] = [];
  private readonly watchers = new Set<() => void>();

  add(item: T): void {
    this.items.push(item);
    for (const watcher of this.watchers) {
      watcher();
    }
  }

  /** The first item that matches, past or to come. Rejects after `limitMs`. */
  find(matches: (item: T) => boolean = () => true, limitMs = WAIT_LIMIT_MS): Promise<T> {
    return this.when(() => this.items.find(matches), limitMs);
  }

  /** The items, as soon as there are `count` of them. Rejects after `limitMs`. */
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
        reject(new Error(`did not happen within ${limitMs} ms; seen: ${this.items.length} items`));
      }, limitMs);
      this.watchers.add(watcher);
      watcher();
    });
  }
}

/** A promise that is settled from outside, by the events of an exchange. Only the first settlement counts. */
export class Deferred<T> {
  /** The promise itself. */
  readonly promise: Promise<T>;
  // Assigned by the constructor of the promise, which calls its executor synchronously.
  private settle!: {
    readonly resolve: (value: T) => void;
    readonly reject: (reason: Error) => void;
  };

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  /** Fulfils the promise, unless it is already settled. */
  resolve(value: T): void {
    this.settle.resolve(value);
  }

  /** Rejects the promise, unless it is already settled. */
  reject(reason: Error): void {
    this.settle.reject(reason);
  }
}

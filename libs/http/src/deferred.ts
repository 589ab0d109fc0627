/** A promise that is settled from outside, by the events of an exchange. Only the first settlement counts. */
export class Deferred<T> {
  /** Settles as `resolve` or `reject` decide. */
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

  /** Fulfils the promise, unless it is settled already. */
  resolve(value: T): void {
    this.settle.resolve(value);
  }

  /** Rejects the promise, unless it is settled already. */
  reject(reason: Error): void {
    this.settle.reject(reason);
  }
}

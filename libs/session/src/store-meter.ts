/** The injection token of the meter. Providing one is optional. */
export const StoreMeter = Symbol('StoreMeter');

/** An operation of the session store, protocol.md section 5. */
export type StoreOperation = 'reserve' | 'put' | 'open' | 'mark' | 'kill';

/** Receives the duration of every operation of the session store. */
export interface StoreMeter {
  /**
   * Called once for every operation, when it has ended.
   *
   * @param seconds - how long the operation took
   * @param hasFailed - whether the operation failed, so that its outcome is unknown
   */
  observe(operation: StoreOperation, seconds: number, hasFailed: boolean): void;
}

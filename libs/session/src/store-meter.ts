/** Told how long each operation of the session store took, where somebody listens. */
export const StoreMeter = Symbol('StoreMeter');

/** protocol.md section 5. */
export type StoreOperation = 'reserve' | 'put' | 'open' | 'mark' | 'kill';

export interface StoreMeter {
  /** @param hasFailed - the outcome of the operation is unknown */
  observe(operation: StoreOperation, seconds: number, hasFailed: boolean): void;
}

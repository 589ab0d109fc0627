/** The injection token of the store's health. */
export const StoreHealth = Symbol('StoreHealth');

/** What `REDIS_URL` leads to. If the nodes of a cluster differ, a value lists all findings, separated by commas. */
export interface StoreDescription {
  /** For example `redis 7.0.15`, or `memory`. */
  readonly version: string;
  /** `primary`, or `replica`, which cannot keep sessions. */
  readonly role: string;
  /** `off`, `rdb`, `aof`, `rdb and aof`, or `unknown`. */
  readonly persistence: string;
  /** Redis's `maxmemory-policy`, or `unknown`. */
  readonly evictionPolicy: string;
  /** Settings that weaken what the relay promises: one line each. */
  readonly warnings: readonly string[];
}

/** The store has become available, or has been lost. An outage is reported once, not at every attempt to end it. */
export type StoreReport =
  | { readonly state: 'available'; readonly description: StoreDescription }
  | { readonly state: 'unavailable'; readonly error: Error };

/** The health of the store behind SessionStore, for operators and orchestrators. */
export interface StoreHealth {
  /**
   * Resolves if the store can keep a session at this moment. The check writes, because a read-only store is of no use.
   *
   * @throws SessionStoreUnavailableError within half a second if it cannot
   */
  check(): Promise<void>;

  /**
   * Returns what is known of the store now, including warnings about its settings.
   *
   * @throws SessionStoreUnavailableError if the store is unavailable
   */
  describe(): Promise<StoreDescription>;

  /** Calls the listener on every change from now on, and immediately with the current state if that is known. */
  watch(listener: (report: StoreReport) => void): void;
}

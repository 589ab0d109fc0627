/** What operators and orchestrators ask about the store behind SessionStore. */
export const StoreHealth = Symbol('StoreHealth');

/** What was found behind `REDIS_URL`; in a cluster, the different findings in one line. */
export interface StoreDescription {
  /** Such as `redis 7.0.15`, or `memory`. */
  readonly version: string;
  /** `primary`; a `replica` can keep no sessions. */
  readonly role: string;
  /** `off`, `rdb`, `aof`, both, or `unknown`. */
  readonly persistence: string;
  /** Redis's `maxmemory-policy`. */
  readonly evictionPolicy: string;
  /** Settings that weaken what the relay promises: one line each. */
  readonly warnings: readonly string[];
}

/** The store came within reach, or was lost. An outage is told once, not at each attempt to end it. */
export type StoreReport =
  | { readonly state: 'available'; readonly description: StoreDescription }
  | { readonly state: 'unavailable'; readonly error: Error };

export interface StoreHealth {
  /**
   * Resolves where a session could be kept at this moment: it writes, since a read-only store is of no use.
   *
   * @throws SessionStoreUnavailableError, within half a second
   */
  check(): Promise<void>;

  /** @throws SessionStoreUnavailableError */
  describe(): Promise<StoreDescription>;

  /** Calls the listener at each change from now on, and first with the present state where it is known. */
  watch(listener: (report: StoreReport) => void): void;
}

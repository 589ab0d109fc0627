/**
 * What a relay does and knows at one moment, for its operator. It names no value of a header, no path, no body, no token and no
 * key. Texts may come from other parties, such as the names of peers in a file: whoever shows them shows them as text.
 */
export type StatusReport = ReportOf<TrafficStatus>;

/** A report, with traffic in one form or the other. */
export interface ReportOf<Traffic> {
  /** When the report was made: milliseconds since 1970, on the relay's clock. */
  readonly atMs: number;
  readonly relay: RelayFacts;
  /** Of all clients and peers, those that were refused included, and of pass-through routes. */
  readonly traffic: Traffic;
  /** Other relays, those that are called first, at most `MAX_ROWS` of each role. */
  readonly peers: readonly PeerStatus<Traffic>[];
  /** At most `MAX_ROWS`. */
  readonly clients: readonly ClientStatus<Traffic>[];
  readonly tenants: readonly TenantStatus[];
  readonly store: StoreStatus;
  /** The last refusals, newest first, at most `MAX_REFUSALS`. */
  readonly refusals: readonly RefusalStatus[];
}

/** The most peers of each role, and the most clients, that a report has. */
export const MAX_ROWS = 50;
/** The most refusals that a report has. */
export const MAX_REFUSALS = 100;

/** What is true of a relay as long as its configuration stays. */
export interface RelayFacts {
  readonly version: string;
  readonly nodeVersion: string;
  /** `outbound` if it has clients, `inbound` if it has tenants. */
  readonly roles: readonly ('outbound' | 'inbound')[];
  /** When the first of its present workers started: milliseconds since 1970. */
  readonly startedAtMs: number;
  /** How many processes serve requests. */
  readonly workers: number;
  /** As in the start-up log: secrets are masked. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether RELAY_CONFIG_FILE as it is now is in use. */
  readonly directory: 'none' | 'in use' | 'refused';
  /** When the certificate of the listener ends: milliseconds since 1970; undefined if it speaks plain HTTP. */
  readonly certificateEndsAtMs?: number | undefined;
  /** Requests and upgraded connections that are under way. */
  readonly underWay: number;
}

/** What was counted of one party. */
export interface TrafficStatus {
  /** Since the start of the relay, as are errors. */
  readonly requests: number;
  readonly errors: number;
  /** On average over the last ten seconds, as are errors. */
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /**
   * Half of the requests of the last minute took at most as many milliseconds, rounded up by a fifth at most; undefined if there
   * were none.
   */
  readonly p50Ms?: number | undefined;
  /** 99 of 100 of them did. */
  readonly p99Ms?: number | undefined;
}

/** Another relay. */
export interface PeerStatus<Traffic = TrafficStatus> {
  /** Whether this relay calls it (`outbound`) or is called by it (`inbound`). */
  readonly role: 'outbound' | 'inbound';
  /** Of its entry; undefined for the peer of the environment variables. */
  readonly name?: string | undefined;
  /** Only if it is called. */
  readonly origin?: string | undefined;
  /**
   * `unreachable`: the last attempt to connect failed, be it for a request or a channel. `paired`: it has a session that can be used, or it has sent a request. `unused`: nothing was sent to
   * it, or it has sent nothing, since the start. `unknown`: it is not known any more whether it can be reached.
   */
  readonly state: 'unused' | 'paired' | 'reachable' | 'unreachable' | 'unknown';
  readonly transport: 'auto' | 'channel' | 'message';
  readonly channels: number;
  readonly streams: number;
  /** Sessions that this relay has with it and could use now. Only if it is called. */
  readonly sessions: number;
  readonly traffic: Traffic;
  readonly lastRefusal?: RefusalStatus | undefined;
}

/** An application that may use the outbound role. */
export interface ClientStatus<Traffic = TrafficStatus> {
  /** Undefined for the client of OUTBOUND_TOKEN. */
  readonly name?: string | undefined;
  readonly traffic: Traffic;
  /** When the next of its tokens expires: milliseconds since 1970. */
  readonly tokenEndsAtMs?: number | undefined;
  readonly lastRefusal?: RefusalStatus | undefined;
}

/** An API behind this relay. */
export interface TenantStatus {
  /** Undefined for the tenant of UPSTREAM. */
  readonly name?: string | undefined;
  /** Scheme, host and port. */
  readonly upstream: string;
  /** What the last attempt to connect showed. */
  readonly state: 'unknown' | 'reachable' | 'unreachable';
  readonly connections: number;
}

/** The store of the sessions. */
export interface StoreStatus {
  readonly kind: 'memory' | 'redis';
  readonly state: 'available' | 'unavailable';
  /** Settings of the store that weaken what the relay guarantees. */
  readonly warnings: readonly string[];
}

/** A request that ended with an error. */
export interface RefusalStatus {
  /** When it ended: milliseconds since 1970. */
  readonly atMs: number;
  readonly code: string;
  /** Of the response; undefined if none was sent. */
  readonly status?: number | undefined;
  readonly role: string;
  readonly client?: string | undefined;
  /** Name or origin. */
  readonly peer?: string | undefined;
  /** As in the log and in the response. */
  readonly requestId: string;
}

/** The requests of the last hour, oldest first: what charts show. All lists have the same length. */
export interface TrafficHistory {
  /** When each interval began: seconds since 1970, multiples of `INTERVAL_SECONDS`. */
  readonly seconds: readonly number[];
  /** Requests in each interval, as are errors. */
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  /** null where there were no requests. */
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

/** The length of the intervals of a history. */
export const INTERVAL_SECONDS = 10;
/** How many intervals a history has at most: one hour. */
export const MAX_INTERVALS = 360;

/** Both, as the page gets them. */
export interface Status {
  readonly report: StatusReport;
  readonly history: TrafficHistory;
}

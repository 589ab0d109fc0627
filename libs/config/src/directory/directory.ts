import type { HeaderField } from '../rules/headers.js';
import type { TunnelTransport } from '../transport-options.js';

/**
 * The name of the entries that environment variables make: one peer, one client and one tenant, which take everything. It is no
 * name that a file can give.
 */
export const OF_ENVIRONMENT = '';

/** The name of an entry as operators see it; undefined if environment variables have made it. */
export function shownName(name: string): string | undefined {
  return name === OF_ENVIRONMENT ? undefined : name;
}

/** How a peer is reached: one of its origins in turn, or whatever origin a client names, if it is among those allowed. */
export type PeerReach =
  | { readonly kind: 'origins'; readonly origins: readonly string[] }
  | { readonly kind: 'named'; readonly allowed: readonly string[] | undefined };

/** Where a listener of a peer is: at an address, or at a Unix domain socket. */
export type ListenAt =
  | {
      readonly kind: 'tcp';
      /** An IP address, without brackets, or `localhost`. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | {
      readonly kind: 'unix';
      /** Absolute. */
      readonly path: string;
      /** Permission bits of the socket. */
      readonly mode: number;
      /** Whom the socket belongs to; if undefined, the user of this process. */
      readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
    };

/** A listener that leads to one peer. Whoever reaches it is taken for its client: there is no token. */
export interface PeerListenEntry {
  readonly at: ListenAt;
  /** The name of the client in whose name requests are made. */
  readonly client: string;
}

/** Another relay, or the replicas of one, with the secret that this relay shares with it alone. */
export interface PeerEntry {
  readonly name: string;
  /** Without any origin, the peer only calls this relay. */
  readonly reach: PeerReach;
  /** Signs and pairs. */
  readonly secret: string;
  /** Accepted as well, and never used to sign. */
  readonly secretAlt?: string | undefined;
  readonly transport: TunnelTransport;
  /** URL of the egress proxy on the way to this peer, with its credentials; if undefined, PEER_PROXY_URL counts. */
  readonly proxy?: string | undefined;
  /**
   * What clients of the forward proxy call it: `host:port` as `normalAuthority` returns it, of which the host may begin with `*.`
   * for all names below it. No two peers have the same.
   */
  readonly hosts?: readonly string[] | undefined;
  /** If undefined, it has no listener of its own. */
  readonly listen?: PeerListenEntry | undefined;
}

/** One token of a client. The token itself is not kept. */
export interface ClientToken {
  /** SHA-256 of the token, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** From when on it is refused: milliseconds since 1970; if undefined, never. */
  readonly expiresAtMs?: number | undefined;
}

/** What a client may use. An undefined limit is none. */
export interface ClientLimits {
  /** 1 to 1000000. */
  readonly requestsPerSecond?: number | undefined;
  /** Requests under way at the same time, 1 to 1000000. */
  readonly concurrent?: number | undefined;
}

/** An application that may use the outbound role. */
export interface ClientEntry {
  readonly name: string;
  readonly tokens: readonly ClientToken[];
  /** The names of the peers that it may reach; if undefined, all. */
  readonly peers?: readonly string[] | undefined;
  readonly limits: ClientLimits;
}

/** Under which entry a client was admitted, and why: with one of its tokens, or because it has called a listener. */
export interface Grant {
  readonly client: ClientEntry;
  readonly token?: ClientToken;
  /** What identifies the listener. */
  readonly listener?: string;
}

/** TLS towards an API. Each is the path of a PEM file, which was valid when it was read. */
export interface UpstreamTls {
  /** The authorities that the API is verified against; if undefined, those of Node.js. */
  readonly caFile?: string | undefined;
  /** The certificate that this relay presents. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the certificate of the API must have; if undefined, the host of its URL. */
  readonly serverName?: string | undefined;
}

/** What other relays reach here under one audience: an API and the rules for it. */
export interface TenantEntry {
  /** The first audience; `OF_ENVIRONMENT` for the tenant of UPSTREAM. */
  readonly name: string;
  /** The origins by which peers address this tenant; if undefined, every audience is accepted. */
  readonly audiences: readonly string[] | undefined;
  /** http or https URL, without a trailing slash. */
  readonly upstream: string;
  readonly upstreamTls: UpstreamTls;
  /** The host that the API is told: its own (`upstream`), the client's (`client`) or a fixed one. */
  readonly upstreamHost: string;
  /** The names of the peers that may enter; if undefined, all. */
  readonly peers?: readonly string[] | undefined;
  /** What peers may request; if undefined, everything. */
  readonly routes?: readonly string[] | undefined;
  readonly passThroughRoutes: readonly string[];
  readonly corsOrigins?: readonly string[] | undefined;
  readonly corsMethods: readonly string[];
  readonly headers: readonly HeaderField[];
  readonly requestHeaders: readonly HeaderField[];
  readonly responseHeaders: readonly HeaderField[];
  /** The lower-case name of the field in which the API is told the client's name; if undefined, it is not. */
  readonly forwardClient?: string | undefined;
}

/** Whom this relay knows: the part of its configuration that may change while it runs. Deeply frozen. */
export interface Directory {
  readonly peers: readonly PeerEntry[];
  /** Empty: this relay has no outbound role. */
  readonly clients: readonly ClientEntry[];
  /** Empty: this relay has no inbound role. */
  readonly tenants: readonly TenantEntry[];
}

import type { IncomingMessage } from 'node:http';

/** Where requests come in: the listener that everybody shares, or one that leads to a single peer. */
export interface Entrance {
  /** Where the listener of a peer is, by which `KnownListeners` knows it; undefined for the shared one. */
  readonly listener?: string | undefined;
  /** Whether every request in absolute form is one for the forward proxy, even without credentials. */
  readonly isProxy: boolean;
}

/** The property of a request, or of its class, that says where it came in. */
export const ENTRANCE = Symbol('entrance');

const SHARED: Entrance = { isProxy: false };

/** Where a request came in. */
export function entranceOf(
  request: IncomingMessage & { readonly [ENTRANCE]?: Entrance },
): Entrance {
  return request[ENTRANCE] ?? SHARED;
}

/**
 * The fields of every request to another relay, besides those of the protocol. protocol.md section 3. An intermediary that
 * compresses must know that the sender wants no coding: a response in another form than the peer gave it proves nothing.
 */
export const OUTER_REQUEST_FIELDS = {
  'content-type': 'application/octet-stream',
  'cache-control': 'no-store',
  'accept-encoding': 'identity',
} as const;

/** The `cache-control` of every response to another relay: nothing between the relays may keep or change it. */
export const OUTER_CACHE_CONTROL = 'no-store, no-transform';

/** The fields of every sealed response, and of every response to a pairing. */
export const OUTER_RESPONSE_FIELDS = {
  'content-type': 'application/octet-stream',
  'cache-control': OUTER_CACHE_CONTROL,
} as const;

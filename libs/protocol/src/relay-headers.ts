/** Names of the headers of protocol.md section 2, in lower case as Node.js reports them. */
export const CLIENT_ID_HEADER = 'x-mte-client-id';
export const RELAY_HEADER = 'x-mte-relay';

/** `x-mte-relay` of a pairing request and of its successful answer, and of the probe's answer. */
export const PROTOCOL_VERSION = '1';

/** Where a relay answers as the inbound role. protocol.md section 3. */
export const PAIR_PATH = '/api/mte-pair';
export const TUNNEL_PATH = '/api/mte-tunnel';
export const PROBE_PATH = '/api/mte-relay';

/** The header that identifies and signs the sender, in lower case as Node.js reports it. protocol.md section 2. */
export const CLIENT_ID_HEADER = 'x-mte-client-id';

/**
 * The header that carries the protocol version and, on the tunnel, the parameters of a message or a signed error; in
 * lower case as Node.js reports it. protocol.md section 2.
 */
export const RELAY_HEADER = 'x-mte-relay';

/**
 * The `x-mte-relay` of a pairing request, of its successful response and of the response to a probe.
 * protocol.md sections 2 and 3.
 */
export const PROTOCOL_VERSION = '1';

/** Path of the pairing endpoint, `POST` only. protocol.md section 3. */
export const PAIR_PATH = '/api/mte-pair';

/** Path of a tunnel request that does not show its inner path. protocol.md section 3. */
export const TUNNEL_PATH = '/api/mte-tunnel';

/** Path of the opening of a channel, `GET` only. protocol.md section 11.1. */
export const CHANNEL_PATH = '/api/mte-channel';

/** The WebSocket subprotocol of a channel. protocol.md section 11.1. */
export const CHANNEL_SUBPROTOCOL = 'mte-relay.1';

/**
 * Path of the probe, `GET` or `HEAD`, which shows that a relay is reachable; its response is unauthenticated.
 * protocol.md section 3.
 */
export const PROBE_PATH = '/api/mte-relay';

/**
 * A field that the head of a sealed request may have although its name is `x-mte-*`: the address of the client, as the outbound
 * role saw it. No client can send it. protocol.md section 6.
 */
export const CLIENT_ADDRESS_FIELD = 'x-mte-client-address';

/** The other such field: the name of the client, as the outbound role knows it by its token. protocol.md section 6. */
export const CLIENT_NAME_FIELD = 'x-mte-client';

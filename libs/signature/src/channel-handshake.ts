import type { IncomingMessage } from 'node:http';

import { CHANNEL_SUBPROTOCOL, RelayHeaderMalformedError } from '@relay/protocol';

/** The key of RFC 6455 section 4.1: 16 bytes as base64. */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const WEBSOCKET_VERSION = '13';

/**
 * Checks that a request is the WebSocket handshake of a channel. protocol.md section 11.1.
 *
 * @throws RelayHeaderMalformedError if it is not
 */
export function checkHandshake({
  headers,
  upgrade,
}: IncomingMessage & { upgrade?: boolean }): void {
  const isHandshake =
    upgrade === true &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === WEBSOCKET_VERSION &&
    WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-protocol'] === CHANNEL_SUBPROTOCOL &&
    headers['sec-websocket-extensions'] === undefined;
  if (!isHandshake) {
    throw new RelayHeaderMalformedError('the opening is not the WebSocket handshake of a channel');
  }
}

import type { IncomingMessage } from 'node:http';

import type { ClientEntry, Grant } from '@relay/config';

import type { NamedPeer } from '../../peers/peer-origin.js';

/** One of the ways in which a client says who it is, and which peer its request is for. */
export interface ClientWay {
  /** @throws RelayError if the client may not use this relay, or not so */
  admit(request: IncomingMessage): Grant;
  /** @throws RelayError if the request names no peer, or one that the client may not call */
  peerOf(request: IncomingMessage, client: ClientEntry): NamedPeer;
}

import { MAX_MESSAGE_BYTES } from '@relay/channel';

/** A record comes in one piece, or in a few if an intermediary has cut it. */
const MAX_FRAGMENTS = 64;
/** More reads than the smallest segments of TCP need for a record of full length. */
const MAX_BUFFERED_CHUNKS = 1_024;
/** How long the other side may take to answer the end of a channel. protocol.md section 11.2. */
const CLOSE_TIMEOUT_MS = 10_000;

/** How both ends of a channel use WebSockets. What is sealed cannot be compressed, and is no text. */
export const WEB_SOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

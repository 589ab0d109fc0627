/** While so much has not left the socket, no record with HEADERS or DATA is made. protocol.md section 11.4. */
export const MAX_UNSENT_BYTES = 256 * 1024;
/** With so much that has not left the socket, the channel is broken. protocol.md section 11.4. */
export const BROKEN_UNSENT_BYTES = 4 * 2 ** 20;
/** From this record on, in either direction, a channel has passed its lifetime. protocol.md section 11.2. */
export const LATE_RECORD = 2 ** 21;

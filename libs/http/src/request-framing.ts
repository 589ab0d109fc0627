import type { IncomingMessage } from 'node:http';

/** Whether a request is framed as having a body, also an empty one of unknown length. RFC 9112 section 6.3. */
export function hasRequestBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

import type { IncomingMessage } from 'node:http';

/** Whether the framing of a request announces a body, which may turn out to be empty if it is chunked. RFC 9112 section 6.3. */
export function hasRequestBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

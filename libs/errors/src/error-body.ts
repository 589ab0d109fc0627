import type { ErrorCode } from './error-registry.js';
import type { Forwarded } from './forwarded.js';

/** Media type of every error response to a client. */
export const ERROR_CONTENT_TYPE = 'application/json; charset=utf-8';

/** The JSON body of every error response to a client. protocol.md section 8. */
export function errorBody(
  code: ErrorCode,
  message: string,
  forwarded: Forwarded,
  requestId: string,
): string {
  return JSON.stringify({ error: { code, message, forwarded, requestId } });
}

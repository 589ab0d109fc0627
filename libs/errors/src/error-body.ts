/** `no` tells a client that its request was not executed and never will be, so that repeating it is safe. */
export type Forwarded = 'no' | 'maybe';

/** The JSON that every error answer to a client carries. protocol.md section 8. */
export function errorBody(
  code: string,
  message: string,
  forwarded: Forwarded,
  requestId: string,
): string {
  return JSON.stringify({ error: { code, message, forwarded, requestId } });
}

export const ERROR_CONTENT_TYPE = 'application/json; charset=utf-8';

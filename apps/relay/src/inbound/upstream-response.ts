import { forwardedFields, withReplacedFields, withoutFields } from '@relay/http';
import type { RelayError, ResponseHead } from '@relay/protocol';

import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from '../errors/error-body.js';
import { clientStatus } from '../errors/error-answers.js';

const CONTENT_LENGTH = 'content-length';
const NO_CONTENT = 204;

/** The head of the upstream's answer as the client is to see it. */
export function responseHeadOf(
  status: number,
  rawFields: readonly (string | Buffer)[],
  configured: readonly (readonly [string, string])[],
): ResponseHead {
  const fields = withReplacedFields(forwardedFields(rawFields), configured);
  return {
    status,
    fields: status === NO_CONTENT ? withoutFields(fields, new Set([CONTENT_LENGTH])) : fields,
  };
}

/** An answer that the inbound relay makes in the upstream's place; it travels sealed like any other. */
export interface InnerError {
  readonly code: string;
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** @param error - with `retryAfter` in seconds, where it makes sense to come back */
export function innerError(
  { code, message, retryAfter }: RelayError & { readonly retryAfter?: number },
  forwarded: Forwarded,
  requestId: string,
): InnerError {
  const body = Buffer.from(errorBody(code, message, forwarded, requestId));
  const fields = [
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    'content-type',
    ERROR_CONTENT_TYPE,
    'cache-control',
    'no-store',
    CONTENT_LENGTH,
    String(body.length),
  ];
  return { code, head: { status: clientStatus(code), fields }, body };
}

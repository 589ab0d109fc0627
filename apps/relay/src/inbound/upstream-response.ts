import {
  ERROR_CONTENT_TYPE,
  clientOutcome,
  errorBody,
  type ErrorCode,
  type Forwarded,
  type RelayError,
} from '@relay/errors';
import { rawFieldValues, withReplacedFields, withoutFields } from '@relay/fields';
import { withoutConnectionChallenges } from '@relay/http';
import { forwardedFields, type ResponseHead } from '@relay/protocol';

const CONTENT_LENGTH = 'content-length';
const NO_CONTENT = 204;

/**
 * The head of the upstream's response as the client will see it.
 *
 * @throws ConnectionAuthUnsupportedError if the client could only respond to it by authenticating a connection
 */
export function upstreamResponseHead(
  status: number,
  rawFields: readonly (string | Buffer)[],
  configured: readonly (readonly [string, string])[],
): ResponseHead {
  const offered = withoutConnectionChallenges(status, forwardedFields(rawFields));
  const fields = withReplacedFields(offered, configured);
  return {
    status,
    fields: status === NO_CONTENT ? withoutFields(fields, new Set([CONTENT_LENGTH])) : fields,
  };
}

/**
 * The fields of the upstream's 101 as the client will see them, and the protocol that it names. A 101 has no body, and so no
 * length.
 */
export function switchingResponse(
  rawFields: readonly (string | Buffer)[],
  configured: readonly (readonly [string, string])[],
): { readonly fields: string[]; readonly protocol: string } {
  const offered = withoutFields(forwardedFields(rawFields), new Set([CONTENT_LENGTH]));
  return {
    fields: withReplacedFields(offered, configured),
    protocol: rawFieldValues(rawFields, 'upgrade').join(', '),
  };
}

/** A response that the inbound relay makes in the upstream's place. It travels sealed like any other. */
export interface InnerError {
  readonly code: ErrorCode;
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** @param error - with `retryAfter` in seconds if it makes sense to try again */
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
  return { code, head: { status: clientOutcome(code).status, fields }, body };
}

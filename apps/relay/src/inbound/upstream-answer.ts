import {
  fieldValue,
  forwardedFields,
  withReplacedFields,
  withoutFields,
  type ExchangeFailure,
} from '@relay/http';
import type { ResponseHead } from '@relay/protocol';

import { ERROR_CONTENT_TYPE, errorBody, type Forwarded } from '../errors/error-body.js';
import { CLIENT_STATUSES } from '../errors/error-answers.js';

const CONTENT_LENGTH = 'content-length';
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

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

/** Length of the body that follows a response head, 0 where none does, undefined where only its end will tell. */
export function bodyBytesOf(head: ResponseHead, method: string): number | undefined {
  if (method === 'HEAD' || head.status === NO_CONTENT || head.status === NOT_MODIFIED) {
    return 0;
  }
  const stated = fieldValue(head.fields, CONTENT_LENGTH);
  return stated === undefined ? undefined : Number(stated);
}

/** An answer that the inbound relay makes in the upstream's place; it travels sealed like any other. */
export interface InnerError {
  readonly code: string;
  readonly head: ResponseHead;
  readonly body: Buffer;
  readonly forwarded: Forwarded;
}

export function innerError(
  code: string,
  message: string,
  forwarded: Forwarded,
  requestId: string,
): InnerError {
  const body = Buffer.from(errorBody(code, message, forwarded, requestId));
  const fields = [
    'content-type',
    ERROR_CONTENT_TYPE,
    'cache-control',
    'no-store',
    CONTENT_LENGTH,
    String(body.length),
  ];
  return { code, head: { status: CLIENT_STATUSES[code] ?? 500, fields }, body, forwarded };
}

/** What the client hears when the upstream gave no answer. */
export function upstreamFailure(failure: ExchangeFailure, requestId: string): InnerError {
  const forwarded = failure.wasSent ? 'maybe' : 'no';
  switch (failure.kind) {
    case 'unreachable':
      return innerError(
        'RELAY_UPSTREAM_UNREACHABLE',
        'the upstream cannot be reached',
        forwarded,
        requestId,
      );
    case 'connect-timeout':
    case 'response-timeout':
    case 'idle':
      return innerError(
        'RELAY_UPSTREAM_TIMEOUT',
        'the upstream did not answer in time',
        forwarded,
        requestId,
      );
    case 'reset':
    case 'aborted':
      return innerError(
        'RELAY_UPSTREAM_FAILED',
        'the upstream broke off without an answer',
        forwarded,
        requestId,
      );
  }
}

import { BodyIdleError, type ExchangeFailure } from '@relay/http';
import { RelayError, type Forwarded } from '@relay/errors';

type UpstreamErrorCode =
  | 'RELAY_UPSTREAM_UNREACHABLE'
  | 'RELAY_UPSTREAM_CONNECT_TIMEOUT'
  | 'RELAY_UPSTREAM_TIMEOUT'
  | 'RELAY_UPSTREAM_STALLED'
  | 'RELAY_UPSTREAM_FAILED'
  | 'RELAY_BODY_IDLE';

/** The upstream gave no response. */
export class UpstreamError extends RelayError {
  constructor(
    readonly code: UpstreamErrorCode,
    readonly forwarded: Forwarded,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error that the client receives if the exchange ended before the upstream's response began. */
export function upstreamError({ kind, wasSent, cause }: ExchangeFailure): UpstreamError {
  const failed = (code: UpstreamErrorCode, message: string): UpstreamError =>
    new UpstreamError(code, wasSent ? 'maybe' : 'no', message, { cause });
  switch (kind) {
    case 'unreachable':
      return failed('RELAY_UPSTREAM_UNREACHABLE', 'the upstream cannot be reached');
    case 'connect-timeout':
      return failed(
        'RELAY_UPSTREAM_CONNECT_TIMEOUT',
        'no connection to the upstream was established in time',
      );
    case 'response-timeout':
      return failed('RELAY_UPSTREAM_TIMEOUT', 'the upstream did not respond in time');
    case 'idle':
      return failed('RELAY_UPSTREAM_STALLED', 'the upstream stopped reading the request');
    case 'aborted':
      return cause instanceof BodyIdleError
        ? failed(cause.code, cause.message)
        : failed('RELAY_UPSTREAM_FAILED', 'the request was aborted');
    case 'reset':
      return failed('RELAY_UPSTREAM_FAILED', 'the upstream gave no valid response');
  }
}

/** The path could lead outside the configured routes or base path. */
export class PathRefusedError extends RelayError {
  readonly code = 'RELAY_PATH_REFUSED';
}

/** The path is not among the configured routes. */
export class RouteUnknownError extends RelayError {
  readonly code = 'RELAY_ROUTE_UNKNOWN';
}

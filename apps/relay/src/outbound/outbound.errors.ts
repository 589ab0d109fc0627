import { RelayError } from '@relay/protocol';

import type { Forwarded } from '../errors/error-body.js';

/** The client's token is missing, wrong, or given twice. */
export class TokenInvalidError extends RelayError {
  readonly code = 'RELAY_TOKEN_INVALID';
}

/** `x-mte-upstream` is missing or no origin of a relay. */
export class UpstreamHeaderInvalidError extends RelayError {
  readonly code = 'RELAY_UPSTREAM_HEADER_INVALID';
}

/** `x-mte-upstream` names a relay that this one may not call. */
export class UpstreamRefusedError extends RelayError {
  readonly code = 'RELAY_UPSTREAM_REFUSED';
}

/** One of the `x-mte-encode-*` headers has an unknown value. */
export class OptionInvalidError extends RelayError {
  readonly code = 'RELAY_OPTION_INVALID';
}

/** Codes of a tunnel that failed; docs/operations.md says what each means to an operator. */
export type TunnelFailureCode =
  | 'RELAY_BODY_IDLE'
  | 'RELAY_BUSY'
  | 'RELAY_MESSAGE_TOO_LONG'
  | 'RELAY_PAIR_REFUSED'
  | 'RELAY_PEER_UNREACHABLE'
  | 'RELAY_PEER_CONNECT_TIMEOUT'
  | 'RELAY_PEER_TIMEOUT'
  | 'RELAY_PEER_STALLED'
  | 'RELAY_PEER_STORE_UNAVAILABLE'
  | 'RELAY_PEER_CONNECTION_LOST'
  | 'RELAY_PEER_ANSWER_INVALID'
  | 'RELAY_PEER_ANSWER_TOO_LARGE'
  | 'RELAY_PEER_REFUSED_MESSAGE';

interface TunnelFailureOptions extends ErrorOptions {
  /** Seconds after which a new try makes sense. */
  readonly retryAfter?: number | undefined;
}

/** The other relay could not be paired with, or a message to it failed. */
export class TunnelFailedError extends RelayError {
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: TunnelFailureCode,
    readonly forwarded: Forwarded,
    message: string,
    options: TunnelFailureOptions = {},
  ) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

import { RelayError } from '@relay/errors';

/** The client's token is wrong, empty, or sent more than once. */
export class TokenInvalidError extends RelayError {
  readonly code = 'RELAY_TOKEN_INVALID';
}

/** One of the `x-mte-encode-*` headers has an unknown value. */
export class OptionInvalidError extends RelayError {
  readonly code = 'RELAY_OPTION_INVALID';
}

import { RelayError } from '@relay/errors';

/** The request has neither a token nor a relay header, and PASS_THROUGH_ROUTES does not list its path. */
export class TokenMissingError extends RelayError {
  readonly code = 'RELAY_TOKEN_MISSING';
}

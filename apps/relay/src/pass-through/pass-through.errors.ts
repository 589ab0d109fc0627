import { RelayError } from '@relay/protocol';

/** A request that holds neither a token nor a relay header, and that no route passes through. */
export class TokenMissingError extends RelayError {
  readonly code = 'RELAY_TOKEN_MISSING';
}

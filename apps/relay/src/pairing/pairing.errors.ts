import { RelayError } from '@relay/errors';

/** The sender has paired as often as MAX_PAIRINGS_PER_MINUTE allows. */
export class PairLimitError extends RelayError {
  readonly code = 'RELAY_PAIR_LIMIT';
}

/** The sender's clock differs too much from this relay's. */
export class ClockSkewError extends RelayError {
  readonly code = 'RELAY_CLOCK_SKEW';
}

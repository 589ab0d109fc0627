import { RelayError } from '@relay/errors';

/** The pairing request names another relay. */
export class AudienceRefusedError extends RelayError {
  readonly code = 'RELAY_AUDIENCE_REFUSED';
}

/** The sender has paired more often than one may. */
export class PairLimitError extends RelayError {
  readonly code = 'RELAY_PAIR_LIMIT';
}

/** The sender's clock is too far from ours. */
export class ClockSkewError extends RelayError {
  readonly code = 'RELAY_CLOCK_SKEW';
}

import { RelayError } from '@relay/errors';

/** The peer broke a rule of the channel, or the channel reached one of its limits: every stream has broken. */
export class ChannelBrokenError extends RelayError {
  readonly code = 'RELAY_CHANNEL_BROKEN';
}

import type { WaitingOctets } from '@relay/channel';
import type { Clock } from '@relay/clock';
import type { RelayConfig } from '@relay/config';

import type { ChannelReports } from '../channels/channel-reports.js';
import type { ChannelOpener } from './channel-opener.js';

/** What the channels to all peers share. */
export interface ChannelTools {
  readonly opener: ChannelOpener;
  readonly config: RelayConfig;
  readonly reports: ChannelReports;
  readonly waiting: WaitingOctets;
  readonly clock: Clock;
}

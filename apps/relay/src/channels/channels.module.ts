import { Module } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';
import { RelayConfig } from '@relay/config';

import { ChannelReports } from './channel-reports.js';

/** What the channels of both roles share. */
@Module({
  providers: [
    {
      provide: WaitingOctets,
      useFactory: ({ channelBufferBytes }: RelayConfig) => new WaitingOctets(channelBufferBytes),
      inject: [RelayConfig],
    },
    ChannelReports,
  ],
  exports: [ChannelReports, WaitingOctets],
})
export class ChannelsModule {}

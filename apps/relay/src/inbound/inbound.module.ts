import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { AdmissionModule } from '../admission/admission.module.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { ChannelAcceptor } from './channel-acceptor.js';
import { ChannelController } from './channel.controller.js';
import { InboundChannels } from './inbound-channels.js';
import { InboundController } from './inbound.controller.js';
import { InboundService } from './inbound.service.js';
import { MessageReader } from './message-reader.js';
import { StreamReceiver } from './stream-receiver.js';
import { UpgradeReceiver } from './upgrade-receiver.js';
import { UpstreamForwarder } from './upstream-forwarder.js';

/** The inbound role: turns sealed messages into plaintext requests to the upstream, and seals the responses. */
@Module({
  imports: [SessionModule, AdmissionModule, ChannelsModule, UpstreamModule],
  controllers: [ChannelController, InboundController],
  providers: [
    ChannelAcceptor,
    InboundChannels,
    InboundService,
    MessageReader,
    StreamReceiver,
    UpgradeReceiver,
    UpstreamForwarder,
  ],
  exports: [InboundChannels],
})
export class InboundModule {}

import { Module } from '@nestjs/common';

import { UpstreamClient } from './upstream-client.js';
import { UpstreamConnections } from './upstream-connections.js';

/** The one upstream, for the roles that call it. */
@Module({ providers: [UpstreamClient, UpstreamConnections], exports: [UpstreamClient] })
export class UpstreamModule {}

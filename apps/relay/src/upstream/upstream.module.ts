import { Module } from '@nestjs/common';

import { UpstreamClient } from './upstream-client.js';

/** The one upstream, for the roles that call it. */
@Module({ providers: [UpstreamClient], exports: [UpstreamClient] })
export class UpstreamModule {}

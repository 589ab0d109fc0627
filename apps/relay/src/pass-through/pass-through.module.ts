import { Module } from '@nestjs/common';

import { LimitsModule } from '../limits.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { PassThroughController } from './pass-through.controller.js';
import { PassThroughService } from './pass-through.service.js';

@Module({
  imports: [LimitsModule, UpstreamModule],
  controllers: [PassThroughController],
  providers: [PassThroughService],
})
export class PassThroughModule {}

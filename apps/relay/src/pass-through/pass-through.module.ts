import { Module } from '@nestjs/common';

import { UpstreamModule } from '../upstream/upstream.module.js';
import { PassThroughController } from './pass-through.controller.js';
import { PassThroughService } from './pass-through.service.js';

@Module({
  imports: [UpstreamModule],
  controllers: [PassThroughController],
  providers: [PassThroughService],
})
export class PassThroughModule {}

import { Module } from '@nestjs/common';

import { AdmissionModule } from '../admission/admission.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { PassThroughController } from './pass-through.controller.js';
import { PassThroughService } from './pass-through.service.js';
import { RemovedTenants } from './removed-tenants.js';

/** The routes whose requests are forwarded without sealing. */
@Module({
  imports: [AdmissionModule, UpstreamModule],
  controllers: [PassThroughController],
  providers: [PassThroughService, RemovedTenants],
})
export class PassThroughModule {}

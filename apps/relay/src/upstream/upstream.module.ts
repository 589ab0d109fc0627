import { Module } from '@nestjs/common';

import { TenantsService } from './tenants.service.js';

/** The APIs behind this relay, for the roles that call them. */
@Module({ providers: [TenantsService], exports: [TenantsService] })
export class UpstreamModule {}

import { Module } from '@nestjs/common';

import { HealthModule } from '../health/health.module.js';
import { StatusModule } from '../status/status.module.js';
import { AdminListener } from './admin-listener.js';

/** The listener for operators. */
@Module({ imports: [HealthModule, StatusModule], providers: [AdminListener] })
export class AdminModule {}

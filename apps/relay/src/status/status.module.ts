import { Module } from '@nestjs/common';

import { StatusService } from './status.service.js';

/** The status of the relay. */
@Module({ providers: [StatusService], exports: [StatusService] })
export class StatusModule {}

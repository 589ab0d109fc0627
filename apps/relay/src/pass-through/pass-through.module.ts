import { Module } from '@nestjs/common';

import { PassThroughController } from './pass-through.controller.js';

@Module({ controllers: [PassThroughController] })
export class PassThroughModule {}

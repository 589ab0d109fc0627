import { Global, Module } from '@nestjs/common';

import { PrimaryLink } from './primary-link.js';

/** The worker's side of a relay of several processes. */
@Global()
@Module({ providers: [PrimaryLink], exports: [PrimaryLink] })
export class WorkersModule {}

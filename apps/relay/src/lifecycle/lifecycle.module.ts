import { Global, Module } from '@nestjs/common';

import { PrimaryLink } from './primary-link.js';
import { ShutdownState } from './shutdown-state.js';

/** What other modules need to know about this process: whether it is shutting down, and whether it is one of several. */
@Global()
@Module({ providers: [PrimaryLink, ShutdownState], exports: [PrimaryLink, ShutdownState] })
export class LifecycleModule {}

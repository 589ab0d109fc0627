import { Module } from '@nestjs/common';

import { PeerListeners } from './peer-listeners.js';

/** The listeners of peers, besides the one that everybody shares. */
@Module({ providers: [PeerListeners] })
export class ListenersModule {}

import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { PairingController } from './pairing.controller.js';
import { PairingService } from './pairing.service.js';

@Module({
  imports: [SessionModule],
  controllers: [PairingController],
  providers: [PairingService],
})
export class PairingModule {}

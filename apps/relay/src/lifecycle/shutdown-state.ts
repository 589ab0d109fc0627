import { Injectable } from '@nestjs/common';

/** Whether this process was told to stop; readiness says so before anything is closed. */
@Injectable()
export class ShutdownState {
  isShuttingDown = false;
}

import { Injectable } from '@nestjs/common';

/** Whether this process has been told to stop. Readiness reports it before anything is closed. */
@Injectable()
export class ShutdownState {
  isShuttingDown = false;
}

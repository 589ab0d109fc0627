import { Injectable } from '@nestjs/common';

/** Whether this process has been told to stop. Readiness reports it before anything is closed. */
@Injectable()
export class ShutdownState {
  private hasBegun = false;
  private readonly listeners: (() => void)[] = [];

  get isShuttingDown(): boolean {
    return this.hasBegun;
  }

  /** Registers what is to be told as soon as the process is told to stop. */
  onBegin(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The process has been told to stop. */
  begin(): void {
    this.hasBegun = true;
    for (const listener of this.listeners) {
      listener();
    }
  }
}

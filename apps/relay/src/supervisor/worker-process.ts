import type { Worker } from 'node:cluster';

import type { DestinationStream } from 'pino';

import type { PrimaryMessage, WorkerMessage } from '../lifecycle/worker-messages.js';
import { passLines } from './pass-lines.js';

/** How a worker ended. */
export interface WorkerEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** A worker, as the primary sees it. */
export class WorkerProcess {
  readonly pid: number | undefined;
  /** When it has ended and all of its lines have been passed on. */
  readonly ended: Promise<WorkerEnd>;
  /** Whether it came to listen; false where it ended before. */
  readonly listening: Promise<boolean>;
  /** It was told to end. */
  isRetired = false;
  private readonly startedAtMs = performance.now();

  constructor(
    private readonly worker: Worker,
    output: DestinationStream,
  ) {
    const { process: child } = worker;
    this.pid = child.pid;
    // It ends, as far as others can tell: there was no process to be had, or a message found nobody.
    worker.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('close', (exitCode: number | null, signal: string | null) => {
        resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
      });
      child.once('error', () => {
        if (child.pid === undefined) {
          resolve({ exitCode: undefined, signal: undefined });
        }
      });
    });
    this.listening = new Promise((resolve) => {
      this.onMessage(({ kind }) => {
        if (kind === 'listening') {
          resolve(true);
        }
      });
      void this.ended.then(() => {
        resolve(false);
      });
    });
    // Undefined, whatever the types say, where there was no descriptor left for it.
    if (child.stdout) {
      passLines(child.stdout, output);
    }
  }

  get livedMs(): number {
    return performance.now() - this.startedAtMs;
  }

  /** Tells it to end, which takes as long as its requests do; a second time: at once. */
  retire(): void {
    this.isRetired = true;
    this.worker.process.kill('SIGTERM');
  }

  kill(): void {
    this.isRetired = true;
    this.worker.process.kill('SIGKILL');
  }

  onMessage(listener: (message: WorkerMessage) => void): void {
    this.worker.on('message', listener);
  }

  /** It has said all that it will ever say. */
  onDisconnect(listener: () => void): void {
    this.worker.once('disconnect', listener);
  }

  tell(message: PrimaryMessage): void {
    if (this.worker.isConnected()) {
      this.worker.send(message);
    }
  }
}

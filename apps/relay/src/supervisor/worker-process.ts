import type { Worker } from 'node:cluster';

import type { DestinationStream } from 'pino';

import type { PrimaryMessage, WorkerMessage } from '../lifecycle/worker-messages.js';
import { passLines } from './pass-lines.js';

/** How a worker ended. */
export interface WorkerEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** A worker process, from the point of view of the primary. */
export class WorkerProcess {
  readonly pid: number | undefined;
  /** Resolves once the worker has ended and all of its lines have been passed on. */
  readonly ended: Promise<WorkerEnd>;
  /** Resolves to whether the worker listens; false if it ended before. */
  readonly listening: Promise<boolean>;
  /** Whether the worker was told to end. */
  isRetired = false;
  private readonly startedAtMs = performance.now();

  constructor(
    private readonly worker: Worker,
    output: DestinationStream,
  ) {
    const { process: child } = worker;
    this.pid = child.pid;
    // No process could be created, or a message could not be delivered. For others, the worker has ended or is about to.
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
    // Undefined, whatever its type says, if the system had no file descriptor left for it.
    if (child.stdout) {
      passLines(child.stdout, output);
    }
  }

  /** How long the worker has been running. */
  get livedMs(): number {
    return performance.now() - this.startedAtMs;
  }

  /** Tells the worker to end once its requests have ended; the second time, to end immediately. */
  retire(): void {
    this.isRetired = true;
    this.worker.process.kill('SIGTERM');
  }

  /** Kills the worker. */
  kill(): void {
    this.isRetired = true;
    this.worker.process.kill('SIGKILL');
  }

  /** Calls the listener for every message from the worker. */
  onMessage(listener: (message: WorkerMessage) => void): void {
    this.worker.on('message', listener);
  }

  /** Calls the listener once, when the worker can send no more messages. */
  onDisconnect(listener: () => void): void {
    const disconnected = new Promise<unknown>((resolve) => {
      this.worker.once('disconnect', resolve);
      // Node.js says nothing if a connection had just been handed to a worker that was killed: it waits for the receipt.
      void this.ended.then(resolve);
    });
    void disconnected.then(listener);
  }

  /** Sends a message to the worker, if it is still connected. */
  send(message: PrimaryMessage): void {
    if (this.worker.isConnected()) {
      this.worker.send(message);
    }
  }
}

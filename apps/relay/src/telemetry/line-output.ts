import { writeSync } from 'node:fs';

import type { DestinationStream } from 'pino';

/** Lines go out together, as a write for each costs a tenth of a request; none waits for longer than this. */
const MAX_LINE_DELAY_MS = 100;
const WRITE_BYTES = 4_096;
/** Characters that wait while nobody takes them. What comes then is lost: no log is worth the memory of a relay. */
const MAX_WAITING = 1024 * 1024;

/** A process that ends gives a reader that is behind so much time, half a second, and no more. */
const LAST_ATTEMPTS = 10;
const LAST_ATTEMPT_INTERVAL_MS = 50;

/**
 * Writes lines to a file, a pipe or a terminal. A full disk, a reader that stands still or one that is gone costs
 * lines, and neither ends the process nor keeps it from ending.
 */
export class LineOutput implements DestinationStream {
  private lines = '';
  /** What was tried and not taken. */
  private rest: Buffer = Buffer.alloc(0);

  /** @param descriptor - of a pipe only where that is non-blocking */
  constructor(private readonly descriptor: number) {
    setInterval(() => this.put(), MAX_LINE_DELAY_MS).unref();
  }

  write(line: string): void {
    if (this.rest.length + this.lines.length + line.length > MAX_WAITING) {
      return;
    }
    this.lines += line;
    if (this.rest.length === 0 && this.lines.length >= WRITE_BYTES) {
      this.put();
    }
  }

  /** Before the process ends: by pino after a fatal line, and at the exit. */
  flushSync(): void {
    for (let attempt = 0; attempt < LAST_ATTEMPTS && this.put() === 'later'; attempt += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_ATTEMPT_INTERVAL_MS);
    }
  }

  private put(): 'done' | 'later' | 'failed' {
    if (this.lines !== '') {
      this.rest = Buffer.concat([this.rest, Buffer.from(this.lines)]);
      this.lines = '';
    }
    try {
      while (this.rest.length > 0) {
        this.rest = this.rest.subarray(writeSync(this.descriptor, this.rest));
      }
      return 'done';
    } catch (error) {
      // There is nowhere to say it. The next attempt may succeed: disks are cleaned up, readers catch up.
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'later' : 'failed';
    }
  }
}

let output: LineOutput | undefined;

/** Standard output, one for the process. What still waits is written when the process ends. */
export function standardOutput(): LineOutput {
  if (output === undefined) {
    // Whoever asks Node.js for this stream has a pipe made non-blocking.
    process.stdout.on('error', () => undefined);
    const made = new LineOutput(1);
    process.once('exit', () => {
      made.flushSync();
    });
    output = made;
  }
  return output;
}

import { writeSync } from 'node:fs';

import type { DestinationStream } from 'pino';

/** Lines are written together, because a write for each line would cost a tenth of a request. None waits longer than this. */
const MAX_LINE_DELAY_MS = 100;
const WRITE_BYTES = 4_096;
/** How many characters may wait to be written. Further lines are dropped: a log must not use up the memory of a relay. */
const MAX_WAITING = 1024 * 1024;

/** A process that ends waits half a second for a slow reader, and no longer. */
const LAST_ATTEMPTS = 10;
const LAST_ATTEMPT_INTERVAL_MS = 50;

/**
 * Writes lines to a file, a pipe or a terminal. If the disk is full, or the reader stalls or goes away, lines are lost, but the
 * process neither ends because of it nor is kept from ending.
 */
export class LineOutput implements DestinationStream {
  private lines = '';
  /** Bytes that could not be written yet. */
  private rest: Buffer = Buffer.alloc(0);

  /** @param descriptor - the file descriptor; a pipe must be non-blocking */
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

  /** Called before the process ends: by pino after a fatal line, and on exit. */
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
      // There is nowhere to report this. A later attempt may succeed: disks are cleaned up, and readers catch up.
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'later' : 'failed';
    }
  }
}

let output: DestinationStream | undefined;

/** Standard output, shared by the whole process. Lines that are still waiting are written when the process ends. */
export function standardOutput(): DestinationStream {
  output ??= createStandardOutput();
  return output;
}

/** Has lines pass through something else before they are written. Call it before `standardOutput`. */
export function wrapStandardOutput(wrap: (lines: LineOutput) => DestinationStream): void {
  output = wrap(createStandardOutput());
}

function createStandardOutput(): LineOutput {
  // Accessing this stream makes Node.js set a pipe to non-blocking.
  process.stdout.on('error', () => undefined);
  const created = new LineOutput(1);
  process.once('exit', () => {
    created.flushSync();
  });
  return created;
}

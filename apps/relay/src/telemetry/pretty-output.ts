import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

import { wrapStandardOutput, type LineOutput } from './line-output.js';

/**
 * Characters that a terminal may act on, or that change the order of those around them, and the escapes of JSON that stand for
 * characters. Backslashes and quotes that are escaped remain.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  /\\["\\/]|\\|[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const HEX_DIGITS = 4;

/** Writes lines for people. Each stays one line, and what came from elsewhere cannot write to the terminal but as text. */
export class PrettyOutput implements DestinationStream {
  private readonly pretty = prettyFactory({
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    // Errors are fields like all others here. Those that the printer knows get lines of their own.
    errorLikeObjectKeys: [],
  });

  constructor(private readonly output: Pick<LineOutput, 'write' | 'flushSync'>) {}

  /** @param lines - complete lines of JSON, of this process or of its workers */
  write(lines: string): void {
    for (const line of lines.split('\n')) {
      if (line !== '') {
        this.output.write(this.pretty(withVisibleControls(line)));
      }
    }
  }

  /** Called by pino after a fatal line. */
  flushSync(): void {
    this.output.flushSync();
  }
}

/** From now on, lines are written to standard output for people. Call it before the first log is made. */
export function prettifyStandardOutput(): void {
  wrapStandardOutput((output) => new PrettyOutput(output));
}

/** Escapes controls twice, so that they are still escaped when the line has been parsed. */
function withVisibleControls(line: string): string {
  return line.replace(UNSAFE, (found) => {
    if (found.startsWith('\\')) {
      return found.length > 1 ? found : '\\\\';
    }
    return `\\\\u${found.charCodeAt(0).toString(16).padStart(HEX_DIGITS, '0')}`;
  });
}

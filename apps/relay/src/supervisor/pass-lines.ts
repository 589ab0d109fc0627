import type { Readable } from 'node:stream';

import type { DestinationStream } from 'pino';

/**
 * Passes on what a process writes, in whole lines. Processes that share a pipe may otherwise write into each other's
 * lines: it keeps together 4,096 bytes and no more.
 */
export function passLines(source: Readable, destination: DestinationStream): void {
  let begun = '';
  source.setEncoding('utf8');
  source.on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) {
      destination.write(begun + text.slice(0, end));
      begun = '';
    }
    begun += text.slice(end);
  });
  source.on('end', () => {
    if (begun !== '') {
      destination.write(`${begun}\n`);
    }
  });
}

import type { Readable } from 'node:stream';

import type { DestinationStream } from 'pino';

/**
 * Passes on the output of a process in complete lines. Otherwise, processes that share a pipe could write into each other's
 * lines, because writes to a pipe are atomic only up to 4,096 bytes.
 */
export function passLines(source: Readable, destination: DestinationStream): void {
  let incomplete = '';
  source.setEncoding('utf8');
  source.on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) {
      destination.write(incomplete + text.slice(0, end));
      incomplete = '';
    }
    incomplete += text.slice(end);
  });
  source.on('end', () => {
    if (incomplete !== '') {
      destination.write(`${incomplete}\n`);
    }
  });
}

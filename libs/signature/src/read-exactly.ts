import { PairMessageMalformedError } from '@relay/protocol';
import type { IncomingMessage } from 'node:http';

/**
 * Reads a request body. The parser has already made sure that it is not longer than stated.
 *
 * @param bytes - the stated content-length
 * @throws PairMessageMalformedError if the body does not arrive within `timeoutMs` or ends early
 */
export async function readExactly(
  request: IncomingMessage,
  bytes: number,
  timeoutMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onEnd);
      action();
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      received += chunk.length;
    };
    const onEnd = (): void => {
      settle(() => {
        if (received === bytes) {
          resolve(Buffer.concat(chunks, bytes));
        } else {
          reject(new PairMessageMalformedError(`pairing request ended after ${received} bytes`));
        }
      });
    };
    const timer = setTimeout(() => {
      settle(() => {
        reject(new PairMessageMalformedError(`pairing request took longer than ${timeoutMs} ms`));
      });
    }, timeoutMs);
    request.on('data', onData).once('end', onEnd).once('close', onEnd);
  });
}

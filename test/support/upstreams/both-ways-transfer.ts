import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import type { UpstreamHandler } from './upstream.js';

const CHUNK_BYTES = 65_536;
/** What a transfer repeats. It is not a multiple of any size that is used on the way, so any swap would be noticed. */
const PATTERN_BYTES = 1024 * 1024 - 1;
const PATTERN = randomBytes(PATTERN_BYTES);
const TWICE = Buffer.concat([PATTERN, PATTERN]);

/** What arrived of a transfer. */
export interface Arrival {
  readonly bytes: number;
  readonly isSame: boolean;
}

/** A body of a given length, which can be compared with what arrives of it. */
export class Transfer {
  constructor(private readonly bytes: number) {}

  /** What `received` gives for a body that arrived unchanged. */
  get whole(): Arrival {
    return { bytes: this.bytes, isSame: true };
  }

  /** Takes the body of a PUT and says what arrived of it; sends the body to others. */
  get handler(): UpstreamHandler {
    return async ({ method, message }, response) => {
      if (method === 'PUT') {
        response.end(JSON.stringify(await this.received(message)));
        return;
      }
      response.writeHead(200, { 'content-length': this.bytes });
      for (const chunk of this.chunks()) {
        if (!response.write(chunk)) {
          await once(response, 'drain');
        }
      }
      response.end();
    };
  }

  /** The body, to be sent. */
  body(): Readable {
    return Readable.from(this.chunks(), { objectMode: false });
  }

  /** Compares a body with the pattern while reading it. */
  async received(message: IncomingMessage): Promise<Arrival> {
    let bytes = 0;
    let isSame = true;
    message.on('data', (chunk: Buffer) => {
      isSame &&= chunk.equals(expectedAt(bytes, chunk.length));
      bytes += chunk.length;
    });
    await once(message, 'end');
    return { bytes, isSame };
  }

  /** The chunks all share the memory of one pattern. */
  private *chunks(): Generator<Buffer> {
    for (let at = 0; at < this.bytes; at += CHUNK_BYTES) {
      yield expectedAt(at, Math.min(CHUNK_BYTES, this.bytes - at));
    }
  }
}

function expectedAt(offset: number, bytes: number): Buffer {
  const start = offset % PATTERN_BYTES;
  return TWICE.subarray(start, start + bytes);
}

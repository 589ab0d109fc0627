/**
 * Reads HTTP/1.1 byte by byte, without code of the product or of Node.js, and reports what was on the wire without any
 * normalisation.
 */
export type Field = readonly [name: string, value: string];

/** How an HTTP message states where its body ends. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** The part of an HTTP message before its body. */
export interface RawHead {
  readonly startLine: string;
  /** In wire order, with the case of names preserved. */
  readonly fields: readonly Field[];
}

const HEAD_END = '\r\n\r\n';
const CRLF = '\r\n';

/** What the reader must know about a message and cannot read from it. */
export interface Circumstances {
  /** A request without framing has no body; a response without framing lasts until the connection ends. */
  readonly kind: 'request' | 'response';
  /** The method of the request that a response belongs to. */
  readonly method?: string;
}

/** Reads one HTTP message as it arrives. */
export class RawMessageReader {
  head: RawHead | undefined;
  framing: Framing = 'none';
  isComplete = false;
  /** The bytes that followed the message. */
  rest: Buffer = Buffer.alloc(0);
  /** Heads with a 1xx status that came before the final response. */
  readonly informational: RawHead[] = [];
  readonly trailers: Field[] = [];
  private readonly chunks: Buffer[] = [];
  private remaining = 0;
  private chunkPart: 'size' | 'content' | 'end' | 'trailers' = 'size';

  constructor(private readonly circumstances: Circumstances) {}

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  push(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (!this.isComplete && this.step()) {
      // Each step consumes part of the rest.
    }
  }

  /** To be called when the connection is closed normally, which ends a message without framing. */
  end(): void {
    this.isComplete ||= this.head !== undefined && this.framing === 'close';
  }

  private step(): boolean {
    if (this.head === undefined) {
      return this.takeHead();
    }
    switch (this.framing) {
      case 'none':
        this.isComplete = true;
        return false;
      case 'length':
        return this.takeContent();
      case 'chunked':
        return this.takeChunk();
      case 'close':
        this.chunks.push(this.take(this.rest.length));
        return false;
    }
  }

  private takeHead(): boolean {
    const end = this.rest.indexOf(HEAD_END);
    if (end === -1) {
      return false;
    }
    const text = this.take(end + HEAD_END.length).toString('latin1');
    const [startLine = '', ...lines] = text.slice(0, -HEAD_END.length).split(CRLF);
    const head = { startLine, fields: lines.map(fieldOf) };
    if (this.circumstances.kind === 'response' && statusOf(head) < 200) {
      this.informational.push(head);
      return true;
    }
    this.head = head;
    this.framing = this.framingOf(head);
    this.remaining = this.framing === 'length' ? Number(valueOf(head.fields, 'content-length')) : 0;
    this.isComplete =
      this.framing === 'none' || (this.framing === 'length' && this.remaining === 0);
    return true;
  }

  private framingOf(head: RawHead): Framing {
    const { kind, method } = this.circumstances;
    const status = statusOf(head);
    if (kind === 'response' && (method === 'HEAD' || status === 204 || status === 304)) {
      return 'none';
    }
    if (valueOf(head.fields, 'transfer-encoding')?.toLowerCase() === 'chunked') {
      return 'chunked';
    }
    if (valueOf(head.fields, 'content-length') !== undefined) {
      return 'length';
    }
    return kind === 'request' ? 'none' : 'close';
  }

  private takeContent(): boolean {
    const content = this.take(Math.min(this.remaining, this.rest.length));
    this.chunks.push(content);
    this.remaining -= content.length;
    this.isComplete = this.remaining === 0 && this.framing === 'length';
    return content.length > 0;
  }

  private takeChunk(): boolean {
    if (this.chunkPart === 'content') {
      const tookSome = this.takeContent();
      this.chunkPart = this.remaining === 0 ? 'end' : 'content';
      return tookSome;
    }
    const line = this.takeLine();
    if (line === undefined) {
      return false;
    }
    if (this.chunkPart === 'size') {
      this.remaining = parseInt(line, 16);
      this.chunkPart = this.remaining === 0 ? 'trailers' : 'content';
    } else if (this.chunkPart === 'end') {
      this.chunkPart = 'size';
    } else if (line === '') {
      this.isComplete = true;
    } else {
      this.trailers.push(fieldOf(line));
    }
    return true;
  }

  private takeLine(): string | undefined {
    const end = this.rest.indexOf(CRLF);
    return end === -1
      ? undefined
      : this.take(end + CRLF.length)
          .toString('latin1')
          .slice(0, -CRLF.length);
  }

  private take(bytes: number): Buffer {
    const taken = this.rest.subarray(0, bytes);
    this.rest = this.rest.subarray(bytes);
    return taken;
  }
}

/** The status in the head of a response; NaN for a request. */
export function statusOf({ startLine }: RawHead): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(startLine)?.[1]);
}

/** Method and target in the head of a request. */
export function requestLineOf({ startLine }: RawHead): { method: string; target: string } {
  const [method = '', target = ''] = startLine.split(' ');
  return { method, target };
}

/** The first value of a field; the case of its name does not matter. */
export function valueOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([given]) => given.toLowerCase() === name)?.[1];
}

/** A head as bytes. */
export function headBytes(startLine: string, fields: readonly Field[]): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}${CRLF}`);
  return Buffer.from(`${startLine}${CRLF}${lines.join('')}${CRLF}`, 'latin1');
}

/** One chunk of a chunked body. */
export function chunkBytes(content: Buffer, extension = ''): Buffer {
  const size = Buffer.from(`${content.length.toString(16)}${extension}${CRLF}`, 'latin1');
  return Buffer.concat([size, content, Buffer.from(CRLF)]);
}

export const LAST_CHUNK = Buffer.from(`0${CRLF}${CRLF}`);

function fieldOf(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
}

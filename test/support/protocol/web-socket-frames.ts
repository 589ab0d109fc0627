/** Opcodes of RFC 6455 section 5.2. */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** One frame of RFC 6455 section 5.2, unmasked. */
export interface WebSocketFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

const FIN = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;

/** The bytes of one frame. @param isMasked - with zeros, as a client's frames are; a server's have no mask */
export function encodeWebSocketFrame(
  payload: Buffer,
  isMasked: boolean,
  { opcode = Opcode.BINARY, isFinal = true }: Partial<WebSocketFrame> = {},
): Buffer {
  const head = webSocketHeader(payload.length, isMasked, { opcode, isFinal });
  return Buffer.concat([head, payload]);
}

/** The header of a frame whose payload is said to have `length` octets. */
export function webSocketHeader(
  length: number,
  isMasked: boolean,
  { opcode = Opcode.BINARY, isFinal = true }: Partial<WebSocketFrame> = {},
): Buffer {
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(length));
  const [code, extended] =
    length < 126
      ? [length, Buffer.alloc(0)]
      : length < 65_536
        ? [126, long.subarray(6)]
        : [127, long];
  return Buffer.concat([
    Buffer.of((isFinal ? FIN : 0) | opcode, (isMasked ? MASKED : 0) | code),
    extended,
    Buffer.alloc(isMasked ? MASK_BYTES : 0),
  ]);
}

/** Finds the frames in what one side of a connection sends after the handshake. */
export class WebSocketFrames {
  private rest = Buffer.alloc(0);

  /** @returns the frames that are complete now */
  push(chunk: Buffer): WebSocketFrame[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const frames: WebSocketFrame[] = [];
    for (let frame = this.next(); frame !== undefined; frame = this.next()) {
      frames.push(frame);
    }
    return frames;
  }

  private next(): WebSocketFrame | undefined {
    const [first, second] = this.rest;
    if (first === undefined || second === undefined) {
      return undefined;
    }
    const code = second & 0x7f;
    const extendedBytes = code === 126 ? 2 : code === 127 ? 8 : 0;
    const maskBytes = (second & MASKED) === 0 ? 0 : MASK_BYTES;
    const start = 2 + extendedBytes + maskBytes;
    if (this.rest.length < start) {
      return undefined;
    }
    const length =
      extendedBytes === 0 ? code : Number(`0x${this.rest.toString('hex', 2, 2 + extendedBytes)}`);
    if (this.rest.length < start + length) {
      return undefined;
    }
    const mask = this.rest.subarray(start - maskBytes, start);
    const payload = Buffer.from(this.rest.subarray(start, start + length));
    if (mask.some((octet) => octet !== 0)) {
      payload.forEach((octet, at) => {
        payload[at] = octet ^ (mask[at % MASK_BYTES] ?? 0);
      });
    }
    this.rest = this.rest.subarray(start + length);
    return { opcode: first & 0x0f, isFinal: (first & FIN) !== 0, payload };
  }
}

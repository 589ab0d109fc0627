import { encodeRequestHead, type RequestHead } from '@relay/protocol';

/** Types, flags and codes of frames. protocol.md section 11.3. */
export const Type = { DATA: 0, HEADERS: 1, RST_STREAM: 3, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8 };
export const END = 1;
export const ACK = 1;
export const Code = { NO_ERROR: 0, PROTOCOL: 1, INTERNAL: 2, REFUSED: 7, CANCEL: 8 };

const HEADER_BYTES = 9;

/** One frame of a channel. */
export interface ChannelFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Any frame, allowed or not. */
export function frameOf(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** The head of a request, by default one without a body. */
export function headersFrame(stream: number, head: Partial<RequestHead> = {}, flags = END): Buffer {
  const bytes = encodeRequestHead({
    method: 'GET',
    scheme: 'http',
    authority: '',
    path: '/',
    fields: [],
    ...head,
  });
  return frameOf(Type.HEADERS, flags, stream, bytes);
}

export function dataFrame(stream: number, octets: Buffer | string, flags = 0): Buffer {
  return frameOf(Type.DATA, flags, stream, Buffer.from(octets as string));
}

export function resetFrame(stream: number, code = Code.CANCEL): Buffer {
  return frameOf(Type.RST_STREAM, 0, stream, u32(code));
}

export function windowFrame(stream: number, increment: number): Buffer {
  return frameOf(Type.WINDOW_UPDATE, 0, stream, u32(increment));
}

export function pingFrame(octets = Buffer.alloc(8), flags = 0): Buffer {
  return frameOf(Type.PING, flags, 0, octets);
}

/** The content of the first record. @param pairs - identifiers and values */
export function settingsOf(...pairs: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(
    pairs.map(([identifier, value]) =>
      Buffer.concat([Buffer.of(identifier >> 8, identifier & 0xff), u32(value)]),
    ),
  );
}

/** The frames of a record's content. */
export function framesIn(content: Buffer): ChannelFrame[] {
  const frames: ChannelFrame[] = [];
  for (let at = 0; at < content.length;) {
    const start = at + HEADER_BYTES;
    const end = start + content.readUIntBE(at, 3);
    frames.push({
      type: content.readUInt8(at + 3),
      flags: content.readUInt8(at + 4),
      stream: content.readUInt32BE(at + 5),
      payload: content.subarray(start, end),
    });
    at = end;
  }
  return frames;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

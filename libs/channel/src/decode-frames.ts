import { ChannelBrokenError } from './channel.errors.js';
import {
  ACK,
  END_STREAM,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_PAYLOAD_BYTES,
  MAX_U31,
  PING_BYTES,
  UPGRADE,
  type Frame,
} from './frame.js';

const RST_STREAM_BYTES = 4;
const GOAWAY_BYTES = 8;
const WINDOW_UPDATE_BYTES = 4;

/**
 * Decodes the content of a record into its frames, and checks the form of all of them before any takes effect. Whether a frame
 * is allowed at its time, and from its sender, is not decided here. protocol.md section 11.3.
 *
 * @param content - one or more whole frames; empty only in the last record
 * @returns the frames in their order; their octets share the memory of `content`
 * @throws ChannelBrokenError if a frame is malformed or cut
 */
export function decodeFrames(content: Buffer): Frame[] {
  const frames: Frame[] = [];
  let offset = 0;
  while (offset < content.length) {
    if (content.length - offset < FRAME_HEADER_BYTES) {
      throw new ChannelBrokenError('a record ends within the header of a frame');
    }
    const bytes = content.readUIntBE(offset, 3);
    const end = offset + FRAME_HEADER_BYTES + bytes;
    if (bytes > MAX_PAYLOAD_BYTES || end > content.length) {
      throw new ChannelBrokenError(`a frame of ${bytes} bytes is longer than its record`);
    }
    const type = content.readUInt8(offset + 3);
    const flags = content.readUInt8(offset + 4);
    const stream = content.readUInt32BE(offset + 5);
    if (stream > MAX_U31) {
      throw new ChannelBrokenError('the number of a stream exceeds 31 bits');
    }
    frames.push(
      decodeFrame(type, flags, stream, content.subarray(offset + FRAME_HEADER_BYTES, end)),
    );
    offset = end;
  }
  return frames;
}

function decodeFrame(type: number, flags: number, stream: number, payload: Buffer): Frame {
  switch (type) {
    case FrameType.DATA:
      return decodeData(flags, stream, payload);
    case FrameType.HEADERS:
      return decodeHeaders(flags, stream, payload);
    case FrameType.RST_STREAM:
      checkForm('RST_STREAM', payload.length === RST_STREAM_BYTES && stream > 0 && flags === 0);
      return { type, stream, code: payload.readUInt32BE() };
    case FrameType.PING:
      checkForm('PING', payload.length === PING_BYTES && stream === 0 && (flags & ~ACK) === 0);
      return { type, octets: payload, isAck: flags === ACK };
    case FrameType.GOAWAY:
      checkForm('GOAWAY', payload.length === GOAWAY_BYTES && stream === 0 && flags === 0);
      return { type, lastStream: payload.readUInt32BE() };
    case FrameType.WINDOW_UPDATE:
      return decodeWindowUpdate(flags, stream, payload);
    default:
      throw new ChannelBrokenError(`a frame has the unknown type ${type}`);
  }
}

function decodeData(flags: number, stream: number, octets: Buffer): Frame {
  const isLast = flags === END_STREAM;
  checkForm('DATA', (flags === 0 || isLast) && stream > 0 && (octets.length > 0 || isLast));
  return { type: FrameType.DATA, stream, octets, isLast };
}

function decodeHeaders(flags: number, stream: number, head: Buffer): Frame {
  const isKnown = flags === 0 || flags === END_STREAM || flags === UPGRADE;
  checkForm('HEADERS', isKnown && stream > 0 && head.length > 0);
  return {
    type: FrameType.HEADERS,
    stream,
    head,
    isLast: flags === END_STREAM,
    isUpgrade: flags === UPGRADE,
  };
}

function decodeWindowUpdate(flags: number, stream: number, payload: Buffer): Frame {
  checkForm('WINDOW_UPDATE', payload.length === WINDOW_UPDATE_BYTES && stream > 0 && flags === 0);
  const increment = payload.readUInt32BE();
  checkForm('WINDOW_UPDATE', increment > 0 && increment <= MAX_U31);
  return { type: FrameType.WINDOW_UPDATE, stream, increment };
}

function checkForm(name: string, isAllowed: boolean): void {
  if (!isAllowed) {
    throw new ChannelBrokenError(`a frame ${name} is malformed`);
  }
}

/** Types of frames, numbered as in RFC 9113 section 6. protocol.md section 11.3. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
} as const;

/** Why a stream or a channel ends, numbered as in RFC 9113 section 7. protocol.md section 11.3. */
export const StreamCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  REFUSED_STREAM: 7,
  CANCEL: 8,
} as const;

/** Flag of DATA and HEADERS: nothing follows in this direction. */
export const END_STREAM = 0x01;
/** Flag of PING: a response to one. */
export const ACK = 0x01;
/** Flag of HEADERS: the stream is an upgraded connection. */
export const UPGRADE = 0x40;

/** Length of a frame's header: u24 length, u8 type, u8 flags, u32 stream. */
export const FRAME_HEADER_BYTES = 9;
/** The most payload that one frame carries. */
export const MAX_PAYLOAD_BYTES = 65_536;
/** The type of the first record, which contains the settings. protocol.md section 11.2. */
export const HEAD_RECORD = 1;
/** The type of every later record. */
export const DATA_RECORD = 2;
/** After so many records of a direction, its key is replaced by the next. protocol.md section 11.2. */
export const RECORDS_PER_KEY = 2 ** 21;
/** The most content that one record of a channel carries: one frame of full length. protocol.md section 11.2. */
export const MAX_CONTENT_BYTES = FRAME_HEADER_BYTES + MAX_PAYLOAD_BYTES;
/** The largest window, increment and stream number. RFC 9113 section 6.9.1. */
export const MAX_U31 = 2 ** 31 - 1;
/** Length of the payload of PING. */
export const PING_BYTES = 8;

/** One frame, decoded. Octets are parts of the record's content, not copies. */
export type Frame =
  | {
      readonly type: typeof FrameType.DATA;
      readonly stream: number;
      readonly octets: Buffer;
      readonly isLast: boolean;
    }
  | {
      readonly type: typeof FrameType.HEADERS;
      readonly stream: number;
      readonly head: Buffer;
      readonly isLast: boolean;
      readonly isUpgrade: boolean;
    }
  | { readonly type: typeof FrameType.RST_STREAM; readonly stream: number; readonly code: number }
  | { readonly type: typeof FrameType.PING; readonly octets: Buffer; readonly isAck: boolean }
  | { readonly type: typeof FrameType.GOAWAY; readonly lastStream: number }
  | {
      readonly type: typeof FrameType.WINDOW_UPDATE;
      readonly stream: number;
      readonly increment: number;
    };

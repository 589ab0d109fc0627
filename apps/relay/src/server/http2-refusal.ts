const SETTINGS = 4;
const GOAWAY = 7;
/** RFC 9113 section 7. */
const HTTP_1_1_REQUIRED = 0xd;

/** Why a client of HTTP/2 is refused, for its own log and for that of this relay. */
export const HTTP2_MESSAGE =
  'only HTTP/1.1 is supported here: HTTP/2, and so gRPC, is not; gRPC-Web and Connect work over HTTP/1.1';

/**
 * What a client of HTTP/2 can read, instead of a response of HTTP/1.1, which it takes for a broken frame: an empty SETTINGS, as
 * the server's preface, and a GOAWAY that says that no stream was processed. RFC 9113 sections 3.4 and 6.8.
 */
export function http2Refusal(): Buffer {
  const reason = Buffer.from(HTTP2_MESSAGE);
  const goAway = Buffer.alloc(8);
  goAway.writeUInt32BE(HTTP_1_1_REQUIRED, 4);
  return Buffer.concat([frame(SETTINGS), frame(GOAWAY, goAway, reason)]);
}

/** A frame of the connection itself, which is stream 0, without flags. */
function frame(type: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  return Buffer.concat([head, payload]);
}

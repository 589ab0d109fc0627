import { ChannelBrokenError } from './channel.errors.js';
import { MAX_U31 } from './frame.js';

const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const PAIR_BYTES = 6;

/** The smallest initial window that a relay may announce, in octets. protocol.md section 11.2. */
const MIN_WINDOW_BYTES = 65_536;
/** The initial window of a relay that announces none, in octets. protocol.md section 11.2. */
export const DEFAULT_WINDOW_BYTES = 262_144;

/** What one side announces in its first record. protocol.md section 11.2. */
export interface Settings {
  /** How many streams may be open at once; only the inbound relay says so. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Octets of each stream that the sender accepts before it grants more. */
  readonly initialWindowBytes: number;
}

/** Encodes the content of the first record. protocol.md section 11.2. */
export function encodeSettings({ maxConcurrentStreams, initialWindowBytes }: Settings): Buffer {
  const window: [number, number] = [INITIAL_WINDOW_SIZE, initialWindowBytes];
  const pairs: [number, number][] =
    maxConcurrentStreams === undefined
      ? [window]
      : [[MAX_CONCURRENT_STREAMS, maxConcurrentStreams], window];
  const content = Buffer.alloc(PAIR_BYTES * pairs.length);
  pairs.forEach(([identifier, value], at) => {
    content.writeUInt16BE(identifier, PAIR_BYTES * at);
    content.writeUInt32BE(value, PAIR_BYTES * at + 2);
  });
  return content;
}

/**
 * Decodes the content of the first record. Unknown identifiers are ignored. protocol.md section 11.2.
 *
 * @throws ChannelBrokenError if the content is cut, an identifier occurs twice or a value is out of its bounds
 */
export function decodeSettings(content: Buffer): Settings {
  if (content.length % PAIR_BYTES !== 0) {
    throw new ChannelBrokenError('the settings of the peer are cut');
  }
  const values = new Map<number, number>();
  for (let at = 0; at < content.length; at += PAIR_BYTES) {
    const identifier = content.readUInt16BE(at);
    if (values.has(identifier)) {
      throw new ChannelBrokenError(`the settings of the peer have ${identifier} twice`);
    }
    values.set(identifier, content.readUInt32BE(at + 2));
  }
  const initialWindowBytes = values.get(INITIAL_WINDOW_SIZE) ?? DEFAULT_WINDOW_BYTES;
  if (initialWindowBytes < MIN_WINDOW_BYTES || initialWindowBytes > MAX_U31) {
    throw new ChannelBrokenError(`the initial window of the peer is ${initialWindowBytes} bytes`);
  }
  return { initialWindowBytes, maxConcurrentStreams: values.get(MAX_CONCURRENT_STREAMS) };
}

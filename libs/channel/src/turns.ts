import type { ChannelStream } from './channel-stream.js';
import { MAX_CONTENT_BYTES } from './frame.js';
import type { RecordContent } from './record-content.js';

/** Octets of one stream in one turn while others wait. protocol.md section 11.4. */
const FAIR_SHARE_BYTES = 16_384;

/** The streams that have something to send, each in its turn. protocol.md section 11.4. */
export class Turns {
  /** In the order of their turns. */
  private readonly ready = new Set<ChannelStream>();

  /** Whether any stream has something to send. */
  get isEmpty(): boolean {
    return this.ready.size === 0;
  }

  /** The stream has something to send, or no longer. @returns whether it has */
  update(stream: ChannelStream): boolean {
    if (stream.isReady) {
      this.ready.add(stream);
      return true;
    }
    this.ready.delete(stream);
    return false;
  }

  /**
   * Gives each stream its turn, until the record is full or nothing is left.
   *
   * @param isBlocked - whether only RST_STREAM may be sent
   * @param prepare - called before the turn of a stream; false if the record has no room for its head
   * @returns the streams of which the record contains a frame
   */
  fill(
    content: RecordContent,
    isBlocked: boolean,
    prepare: (stream: ChannelStream) => boolean,
  ): Set<ChannelStream> {
    const filled = new Set<ChannelStream>();
    // A set visits what is added to its end in the meantime: that is the next turn of a stream.
    for (const stream of this.ready) {
      if (isBlocked && !stream.isOnlyReset) {
        continue;
      }
      if (!prepare(stream)) {
        break;
      }
      const share = this.ready.size > 1 ? FAIR_SHARE_BYTES : MAX_CONTENT_BYTES;
      const room = content.room;
      const isDone = stream.fill(content, share);
      if (content.room < room) {
        filled.add(stream);
      }
      if (!isDone) {
        break;
      }
      this.ready.delete(stream);
      this.update(stream);
    }
    return filled;
  }
}

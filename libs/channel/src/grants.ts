import type { ChannelStream } from './channel-stream.js';
import { FrameType } from './frame.js';
import type { RecordContent } from './record-content.js';

const INCREMENT_BYTES = 4;

/** What consumers have taken, and the peer is to be granted with the next record. protocol.md section 11.4. */
export class Grants {
  private readonly due = new Map<ChannelStream, number>();

  /** The peer may send so many octets more. */
  add(stream: ChannelStream, increment: number): void {
    this.due.set(stream, (this.due.get(stream) ?? 0) + increment);
  }

  /** Appends what fits; nothing for a stream on which the peer sends nothing more. */
  fill(content: RecordContent): void {
    for (const [stream, increment] of this.due) {
      if (content.room < INCREMENT_BYTES) {
        return;
      }
      this.due.delete(stream);
      if (!stream.isClosed && !stream.hasReceivedEnd) {
        content.appendNumbers(FrameType.WINDOW_UPDATE, stream.id, increment);
      }
    }
  }
}

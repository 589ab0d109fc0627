import { RecordSealer } from '@relay/protocol';

import type { ChannelTransport } from './channel-options.js';
import { DATA_RECORD, HEAD_RECORD, RECORDS_PER_KEY } from './frame.js';
import type { RecordContent } from './record-content.js';

/** While so much has not left the socket, no record with HEADERS or DATA is made. protocol.md section 11.4. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** With so much that has not left the socket, the channel is broken. protocol.md section 11.4. */
const BROKEN_UNSENT_BYTES = 4 * 2 ** 20;

/** The records of this side, one in each message. protocol.md section 11.2. */
export class OutgoingRecords {
  private readonly sealer: RecordSealer;

  /** @param key - 32 bytes; not copied */
  constructor(
    key: Buffer,
    private readonly transport: ChannelTransport,
  ) {
    this.sealer = new RecordSealer(key);
  }

  /** How many records were sent. */
  get count(): number {
    return this.sealer.count;
  }

  /** Whether anything has not left the socket. */
  get areUnsent(): boolean {
    return this.transport.unsentBytes > 0;
  }

  /** Whether no HEADERS and no DATA may be sent now. */
  get areBlocked(): boolean {
    return this.transport.unsentBytes > MAX_UNSENT_BYTES;
  }

  /** Whether the peer has left so much unread that the channel is broken. */
  get areStuck(): boolean {
    return this.transport.unsentBytes > BROKEN_UNSENT_BYTES;
  }

  /** Sends the first record. */
  sendFirst(settings: Buffer): void {
    const plaintext = [settings, Buffer.of(HEAD_RECORD)];
    this.transport.send(this.sealer.seal(plaintext, settings.length + 1, false), () => undefined);
  }

  /** @param onLeft - called once the record has left the socket; never synchronously */
  send(content: RecordContent, onLeft: () => void): void {
    this.renewKeyIfDue();
    this.transport.send(content.seal(this.sealer), onLeft);
  }

  /** Ends this direction. */
  sendLast(): void {
    this.renewKeyIfDue();
    this.transport.send(this.sealer.seal([Buffer.of(DATA_RECORD)], 1, true), () => undefined);
  }

  private renewKeyIfDue(): void {
    if (this.sealer.count % RECORDS_PER_KEY === 0) {
      this.sealer.renewKey();
    }
  }
}

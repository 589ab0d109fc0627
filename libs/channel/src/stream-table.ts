import type { ChannelStream } from './channel-stream.js';

/**
 * The streams of a channel by their numbers. A channel lives long and its streams do not: a map from numbers to streams would
 * reallocate its table in the old generation of the heap again and again, and each stream in a table that is no longer used would
 * keep its whole exchange in memory until the next full collection. Here, only numbers are in a map.
 */
export class StreamTable {
  private readonly slots: (ChannelStream | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  private readonly slotById = new Map<number, number>();

  /** Number of streams. */
  get size(): number {
    return this.slotById.size;
  }

  /** The stream with this number, if it is here. */
  get(id: number): ChannelStream | undefined {
    const slot = this.slotById.get(id);
    return slot === undefined ? undefined : this.slots[slot];
  }

  /** Adds a stream that has its number. */
  add(stream: ChannelStream): void {
    const slot = this.freeSlots.pop() ?? this.slots.length;
    this.slots[slot] = stream;
    this.slotById.set(stream.id, slot);
  }

  /** Removes the stream with this number, if it is here. */
  remove(id: number): void {
    const slot = this.slotById.get(id);
    if (slot !== undefined) {
      this.slotById.delete(id);
      this.slots[slot] = undefined;
      this.freeSlots.push(slot);
    }
  }

  /** All streams, in no particular order, as they are now. */
  all(): ChannelStream[] {
    return this.slots.filter((stream) => stream !== undefined);
  }
}

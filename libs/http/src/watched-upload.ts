import { IdleTimer } from './idle-timer.js';

/** What becomes of an upload. */
export interface UploadEvents {
  /** The receiver has stopped reading. */
  onStalled(): void;
  /** The sender has aborted it. */
  onFailed(error: Error): void;
  /** The last chunk has been taken. */
  onComplete(): void;
}

/**
 * The chunks of a body, of which the receiver asks for as many as it can take.
 *
 * @param stallTimeoutMs - the longest time for which it may ask for none; 0: no limit
 */
export async function* watchedUpload(
  body: AsyncIterable<Buffer>,
  stallTimeoutMs: number,
  events: UploadEvents,
): AsyncGenerator<Buffer> {
  const stalled = new IdleTimer(stallTimeoutMs, () => {
    events.onStalled();
  });
  try {
    for await (const chunk of body) {
      stalled.touch();
      yield chunk;
      stalled.stop();
    }
  } catch (error) {
    events.onFailed(error as Error);
    throw error;
  } finally {
    stalled.stop();
  }
  events.onComplete();
}

import { type RawFields, fieldValue } from '@relay/fields';

const EVENT_STREAM = /^text\/event-stream[\t ]*(?:;|$)/i;

/** Whether an answer is a stream of server-sent events, which may be silent for as long as it likes. */
export function isEventStream(fields: RawFields): boolean {
  return EVENT_STREAM.test(fieldValue(fields, 'content-type') ?? '');
}

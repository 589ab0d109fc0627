import { type RawFields, fieldValue } from '@relay/fields';

const EVENT_STREAM = /^text\/event-stream[\t ]*(?:;|$)/i;

/** Whether a response is a stream of server-sent events, whose silence has no limit. */
export function isEventStream(fields: RawFields): boolean {
  return EVENT_STREAM.test(fieldValue(fields, 'content-type') ?? '');
}

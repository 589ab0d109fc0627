import type { IncomingMessage } from 'node:http';

/**
 * Field lines of a request, hop-by-hop ones and those of the connection included. Far more than any client sends, because 62 KiB
 * of the shortest lines would cost several times what a request costs. Of these, 256 can be forwarded: see checkRequestHead.
 */
export const MAX_FIELDS = 1_000;

/** Whether a request has more fields than are read. Node.js must collect at least one more, so that no request is cut short. */
export function hasTooManyFields({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MAX_FIELDS;
}

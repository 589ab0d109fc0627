import { ID_HEADER } from './counting-upstream.js';

/**
 * The head of a tunnel request on the wire: session id and sequence number, and the id of the client's request where
 * that is copied in clear.
 */
const HEAD = new RegExp(
  `x-mte-relay: 1\\.([\\w-]{22}\\.\\d+)\\.(?:(?!\\r\\n\\r\\n)[^])*?${ID_HEADER}: ([\\d-]+)\\r\\n`,
  'g',
);

/** What makes an outbound relay copy the id: nothing but this field is sealed alone. */
export const SHOW_ID = { 'x-mte-encode-headers': 'authorization' };

/** Which messages went over the wire for which request, as far as their heads came in one piece. */
export class SeenMessages {
  private readonly messages = new Map<string, Set<string>>();

  take(chunk: Buffer): void {
    if (!chunk.includes('x-mte-relay: 1.')) {
      return;
    }
    for (const [, message = '', id = ''] of chunk.toString('latin1').matchAll(HEAD)) {
      this.messages.set(id, (this.messages.get(id) ?? new Set()).add(message));
    }
  }

  /** How many messages, each under a session and sequence number of its own, were sent for this request. */
  count(id: string): number {
    return this.messages.get(id)?.size ?? 0;
  }
}

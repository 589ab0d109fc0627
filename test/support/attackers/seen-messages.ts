import { ID_HEADER } from '../upstreams/counting-upstream.js';

/**
 * The head of a tunnel request on the wire: session id and sequence number, without that of the message which it replaces, and
 * the id of the client's request if it is copied in plaintext.
 */
const HEAD = new RegExp(
  `x-mte-relay: 1\\.([\\w-]{22}\\.\\d+)(?:r\\d+)?\\.(?:(?!\\r\\n\\r\\n)[^])*?${ID_HEADER}: ([\\d-]+)\\r\\n`,
  'g',
);

/** Makes an outbound relay copy the id in plaintext, as it then copies all fields but `authorization`. */
export const SHOW_ID = { 'x-mte-encode-headers': 'authorization' };

/** Which messages were sent for which request. Recognises only heads that arrive in one chunk. */
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

  /** How many messages, each with its own session and sequence number, were sent for this request. */
  count(id: string): number {
    return this.messages.get(id)?.size ?? 0;
  }
}

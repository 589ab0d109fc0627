import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

import type { RelayConfig } from '@relay/config';
import { forwardedFields, withReplacedFields } from '@relay/http';
import { checkRequestHead, encodeRequestHead, type RequestHead } from '@relay/protocol';

/** The client's request as it will be sealed. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** The head in the form that goes into the first record. */
  readonly headBytes: Buffer;
}

/**
 * Reads and checks a client's head before anything is sealed: what the other relay would refuse costs no session.
 *
 * @throws HeadInvalidError
 */
export function readClientRequest(request: IncomingMessage, config: RelayConfig): ClientRequest {
  const head: RequestHead = {
    method: request.method ?? '',
    scheme: request.socket instanceof TLSSocket ? 'https' : 'http',
    path: originForm((request as { originalUrl?: string }).originalUrl ?? request.url ?? ''),
    fields: withReplacedFields(forwardedFields(request.rawHeaders), config.headers),
  };
  checkRequestHead(head);
  return { head, headBytes: encodeRequestHead(head) };
}

/** An absolute-form target is reduced to path and query; the host in it means nothing here. */
function originForm(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  if (absolute === null) {
    return target;
  }
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

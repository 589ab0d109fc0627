import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

import type { RelayConfig } from '@relay/config';
import { withReplacedNamesakes } from '@relay/fields';
import { RelayError } from '@relay/errors';
import { connectionAuthRefusal } from '@relay/http';
import {
  forwardedFields,
  HeadInvalidError,
  checkRequestHead,
  encodeRequestHead,
  type RequestHead,
} from '@relay/protocol';

/** The name of the protocol, and perhaps its version. */
const WEBSOCKET = /^websocket(?:\/|$)/i;

/** The client asks for a WebSocket, and offers to do with nothing else. */
export class UpgradeUnsupportedError extends RelayError {
  readonly code = 'RELAY_UPGRADE_UNSUPPORTED';
}

/** The client's request as it will be sealed. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** The head, encoded for the first record. */
  readonly headBytes: Buffer;
}

/**
 * Reads and validates a client's head before anything is sealed, so that a head that the peer would refuse costs no session.
 *
 * @throws HeadInvalidError, UpgradeUnsupportedError, ConnectionAuthUnsupportedError
 */
export function readClientRequest(request: IncomingMessage, config: RelayConfig): ClientRequest {
  const head: RequestHead = {
    method: request.method ?? '',
    scheme: request.socket instanceof TLSSocket ? 'https' : 'http',
    path: originForm((request as { originalUrl?: string }).originalUrl ?? request.url ?? ''),
    fields: withReplacedNamesakes(forwardedFields(request.rawHeaders), config.headers),
  };
  checkConnectionAuth(head);
  checkUpgrade(request);
  checkTransferCoding(request);
  checkRequestHead(head);
  return { head, headBytes: encodeRequestHead(head) };
}

/** Credentials of a connection would also authenticate whoever sends the next request on it. */
function checkConnectionAuth({ fields }: RequestHead): void {
  const refusal = connectionAuthRefusal(fields);
  if (refusal !== undefined) {
    throw refusal;
  }
}

/**
 * An upgrade is an offer, which a server may ignore, and must in HTTP/1.0 (RFC 9110 section 7.8). Only a client that offers
 * nothing but WebSocket cannot do without it: its request says nothing in HTTP itself.
 */
function checkUpgrade({ headers: { upgrade }, httpVersion }: IncomingMessage): void {
  if (upgrade === undefined || httpVersion === '1.0') {
    return;
  }
  const protocols = upgrade.split(',').map((protocol) => protocol.trim());
  const offered = protocols.filter((protocol) => protocol !== '');
  if (offered.length > 0 && offered.every((protocol) => WEBSOCKET.test(protocol))) {
    throw new UpgradeUnsupportedError('this relay does not forward WebSocket connections');
  }
}

/**
 * Node.js emits a request before it refuses its transfer coding. Nothing of the request may be forwarded in the meantime,
 * because early-refusals.ts reports it to the client as not forwarded.
 */
function checkTransferCoding({ headers }: IncomingMessage): void {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw new HeadInvalidError('transfer-encoding is not chunked');
  }
}

/** Reduces a target in absolute form to its path and query. The host in it has no meaning here. */
function originForm(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  if (absolute === null) {
    return target;
  }
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

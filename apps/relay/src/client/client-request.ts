import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

import type { RelayConfig } from '@relay/config';
import { isAuthority, withReplacedNamesakes } from '@relay/fields';
import { RelayError } from '@relay/errors';
import { connectionAuthRefusal } from '@relay/http';
import {
  CLIENT_ADDRESS_FIELD,
  forwardedFields,
  HeadInvalidError,
  checkRequestHead,
  encodeRequestHead,
  type RequestHead,
} from '@relay/protocol';

import { clientAddress } from './client-address.js';

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
  const { authority, path } = targetOf(request);
  const head: RequestHead = {
    method: request.method ?? '',
    scheme: request.socket instanceof TLSSocket ? 'https' : 'http',
    authority,
    path,
    fields: [
      ...withReplacedNamesakes(forwardedFields(request.rawHeaders), config.headers),
      ...addressField(request, config),
    ],
  };
  checkConnectionAuth(head);
  checkUpgrade(request);
  checkTransferCoding(request);
  checkRequestHead(head);
  return { head, headBytes: encodeRequestHead(head) };
}

/** What only this relay knows, for the relay in front of the API, which makes the forwarded fields. */
function addressField({ socket }: IncomingMessage, { forwardedHeaders }: RelayConfig): string[] {
  const address = forwardedHeaders ? clientAddress(socket) : undefined;
  return address === undefined ? [] : [CLIENT_ADDRESS_FIELD, address];
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

/**
 * Path and query of the target, and whom it is addressed to: an authority in the target takes precedence over the host field,
 * which must be valid nevertheless. RFC 9112 sections 3.2 and 3.2.2.
 */
function targetOf(request: IncomingMessage): Pick<RequestHead, 'authority' | 'path'> {
  const host = authorityOf(request.headers.host ?? '', 'host');
  const target = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '';
  const [absolute, authority = ''] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
  if (absolute === undefined) {
    return { authority: host, path: target };
  }
  if (authority === '') {
    throw new HeadInvalidError('the request target does not name a host');
  }
  const rest = target.slice(absolute.length);
  return {
    authority: authorityOf(authority, 'the request target'),
    path: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** RFC 3986 allows a colon without a port, which means the same as none: section 6.2.3. */
function authorityOf(text: string, where: string): string {
  const authority = text.endsWith(':') ? text.slice(0, -1) : text;
  if (text !== '' && !isAuthority(authority)) {
    throw new HeadInvalidError(
      `${where} does not have a host name or IP address with an optional port`,
    );
  }
  return authority;
}

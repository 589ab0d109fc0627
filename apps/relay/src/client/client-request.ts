import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

import type { RelayConfig } from '@relay/config';
import { withReplacedFields } from '@relay/fields';
import { RelayError } from '@relay/errors';
import {
  forwardedFields,
  HeadInvalidError,
  checkRequestHead,
  encodeRequestHead,
  type RequestHead,
} from '@relay/protocol';

/** The client asks for another protocol, such as a WebSocket. */
export class UpgradeUnsupportedError extends RelayError {
  readonly code = 'RELAY_UPGRADE_UNSUPPORTED';
}

/** The client's request as it will be sealed. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** The head in the form that goes into the first record. */
  readonly headBytes: Buffer;
}

/**
 * Reads and checks a client's head before anything is sealed: what the other relay would refuse costs no session.
 *
 * @throws HeadInvalidError, UpgradeUnsupportedError
 */
export function readClientRequest(request: IncomingMessage, config: RelayConfig): ClientRequest {
  const head: RequestHead = {
    method: request.method ?? '',
    scheme: request.socket instanceof TLSSocket ? 'https' : 'http',
    path: originForm((request as { originalUrl?: string }).originalUrl ?? request.url ?? ''),
    fields: withReplacedFields(forwardedFields(request.rawHeaders), config.headers),
  };
  checkUpgrade(request);
  checkTransferCoding(request);
  checkRequestHead(head);
  return { head, headBytes: encodeRequestHead(head) };
}

/** HTTP/2 may be offered on every request and ignored (RFC 9113 section 3.1); whoever asks for another protocol needs it. */
function checkUpgrade({ headers }: IncomingMessage): void {
  if (headers.upgrade !== undefined && headers.upgrade.trim().toLowerCase() !== 'h2c') {
    throw new UpgradeUnsupportedError('this relay does not carry upgraded connections');
  }
}

/**
 * Node.js hands a request on before it refuses its transfer coding. Nothing of it may leave meanwhile: early-answers.ts
 * tells the client so.
 */
function checkTransferCoding({ headers }: IncomingMessage): void {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw new HeadInvalidError('transfer-encoding is not chunked');
  }
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

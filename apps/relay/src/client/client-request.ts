import type { IncomingMessage } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { withReplacedNamesakes, type RawFields } from '@relay/fields';
import { connectionAuthRefusal } from '@relay/http';
import {
  CLIENT_ADDRESS_FIELD,
  forwardedFields,
  HeadInvalidError,
  checkRequestHead,
  encodeRequestHead,
  type RequestHead,
} from '@relay/protocol';

import { hasShortBody, isOfferOf } from '../server/request-routing.js';
import { clientAddress } from './client-address.js';
import { requestTarget } from './request-target.js';

/** What of the configuration decides how a client's request is read. */
type ClientRequestOptions = Pick<RelayConfig, 'headers' | 'forwardedHeaders' | 'upgradeProtocols'>;

/** The client's request as it will be sealed. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** The head, encoded for the first record. */
  readonly headBytes: Buffer;
}

/**
 * Reads and validates a client's head before anything is sealed, so that a head that the peer would refuse costs no session.
 *
 * @param added - fields besides those of the client, and of the configuration
 * @throws HeadInvalidError, ConnectionAuthUnsupportedError
 */
export function readClientRequest(
  request: IncomingMessage,
  config: ClientRequestOptions,
  added: RawFields = [],
): ClientRequest {
  const head: RequestHead = {
    method: request.method ?? '',
    ...requestTarget(request),
    fields: [
      ...withReplacedNamesakes(forwardedFields(request.rawHeaders), config.headers),
      ...addressField(request, config),
      ...added,
    ],
  };
  checkConnectionAuth(head);
  checkUpgrade(request, config);
  checkTransferCoding(request);
  checkRequestHead(head);
  return { head, headBytes: encodeRequestHead(head) };
}

/** What only this relay knows, for the relay in front of the API, which makes the forwarded fields. */
function addressField(
  { socket }: IncomingMessage,
  { forwardedHeaders }: ClientRequestOptions,
): string[] {
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
 * An upgrade is an offer, which a server may ignore, and must in HTTP/1.0 (RFC 9110 section 7.8). Whoever offers a protocol that
 * this relay carries does not expect it to be ignored, so a body that cannot be passed on with it is an error.
 */
function checkUpgrade(request: IncomingMessage, { upgradeProtocols }: ClientRequestOptions): void {
  const { connection = '' } = request.headers;
  const isOffered = /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(connection);
  const isListed = isOffered && isOfferOf(request, upgradeProtocols);
  if (isListed && request.httpVersion === '1.1' && !hasShortBody(request)) {
    throw new HeadInvalidError(
      'the body of a request for an upgrade is too long, or of unknown length',
    );
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

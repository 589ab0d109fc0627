import type { IncomingMessage } from 'node:http';

import {
  CLIENT_ID_HEADER,
  MAX_PAIR_REQUEST_BYTES,
  PROTOCOL_VERSION,
  PairMessageMalformedError,
  RELAY_HEADER,
  RelayHeaderMalformedError,
  type AcceptedKeys,
} from '@relay/protocol';

import { readExactly } from './read-exactly.js';
import { keysByKid, verifySender } from './sender-signature.js';
import { singleHeader } from './single-header.js';
import { attachSender, type PairHeaders, type VerifiedPairRequest } from './verified-request.js';

const PAIR_BODY_TIMEOUT_MS = 5_000;

/**
 * Checks all that can be checked before the body is read. protocol.md section 4.
 *
 * @throws RelayHeaderMissingError, RelayHeaderMalformedError; SenderInvalidError if the sender names a secret that is not
 *   known here; PairMessageMalformedError if the request does not state a length of at most MAX_PAIR_REQUEST_BYTES
 */
export function checkPairHeaders(request: IncomingMessage, accepted: AcceptedKeys): PairHeaders {
  const clientIdHeader = singleHeader(request, CLIENT_ID_HEADER);
  const relayHeader = singleHeader(request, RELAY_HEADER);
  if (relayHeader !== PROTOCOL_VERSION) {
    throw new RelayHeaderMalformedError('pairing version is not 1');
  }
  keysByKid(accepted, clientIdHeader);
  return { clientIdHeader, relayHeader, bodyBytes: statedLength(request) };
}

/**
 * Reads the body of a pairing request, which is bounded by its stated length, and verifies the sender's signature over it.
 *
 * @param headers - what `checkedPairHeaders` returned for the request; the raw headers are not read again
 * @returns the verified request, which `verifiedRequest` returns from then on as well
 * @throws PairMessageMalformedError if the body does not arrive within 5 s or ends early; SenderInvalidError if the signature
 *   does not verify
 */
export async function readPairRequest(
  request: IncomingMessage,
  headers: PairHeaders,
  accepted: AcceptedKeys,
): Promise<VerifiedPairRequest> {
  const { clientIdHeader, relayHeader, bodyBytes } = headers;
  const body = await readExactly(request, bodyBytes, PAIR_BODY_TIMEOUT_MS);
  const sender = verifySender(accepted, clientIdHeader, relayHeader, { purpose: 'pair', body });
  const verified = { purpose: 'pair', sender, body } as const;
  attachSender(request, verified);
  return verified;
}

/** Checked before a byte is read, so that nothing larger is ever allocated. */
function statedLength(request: IncomingMessage): number {
  const stated = request.headers['content-length'];
  const length = Number(stated);
  if (stated === undefined || !(length <= MAX_PAIR_REQUEST_BYTES)) {
    throw new PairMessageMalformedError(
      `pairing request does not state a length of at most ${MAX_PAIR_REQUEST_BYTES} bytes`,
    );
  }
  return length;
}

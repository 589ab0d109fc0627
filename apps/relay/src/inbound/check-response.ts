import type { ServerResponse } from 'node:http';

import { deriveResponseKey } from '@relay/protocol';
import type { OpenSession } from '@relay/session';
import type { VerifiedTunnelRequest } from '@relay/signature';

import { ResponseSealer } from './response-sealer.js';

const NO_CONTENT = 204;
/** The response is one small record: a peer that does not read it for so long is gone. */
const STALL_TIMEOUT_MS = 10_000;

/**
 * Responds to a check with one sealed head, which only the holder of the session's keys can have made. protocol.md section 8.
 *
 * @returns the status in that head
 */
export function respondToCheck(
  { header, responseHeader }: VerifiedTunnelRequest,
  session: OpenSession,
  response: ServerResponse,
): number {
  const key = deriveResponseKey(session.keys, header.raw, responseHeader);
  const sealer = new ResponseSealer(
    key,
    responseHeader,
    response,
    STALL_TIMEOUT_MS,
    () => undefined,
  );
  sealer.start({ status: NO_CONTENT, fields: [] }, 0);
  sealer.end();
  return NO_CONTENT;
}

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';

import { RelayStatus } from '@relay/errors';
import {
  CLIENT_ID_HEADER,
  MAX_PAIR_REQUEST_BYTES,
  PAIR_PATH,
  PROTOCOL_VERSION,
  RELAY_HEADER,
  parseClientIdHeader,
} from '@relay/protocol';
import { SenderSigner } from '@relay/signature';

import { connected, secured, type Destination } from './reach.js';
import { within } from './steps.js';

/** Why relay B refuses to pair, which it does not say: its response is the same for all of these. */
export type RefusalReason =
  /** It does not know the secret. */
  | 'secret'
  /** It takes the sender for itself. */
  | 'self'
  /** It knows the secret, and does not accept the audience. */
  | 'audience'
  /** Something on the path keeps requests until they are complete, so that nothing shows. */
  | 'unknown';

/** Until then, a relay has refused what it refuses by the head alone. */
const EARLY_MS = 1_000;

/**
 * Finds out why relay B has refused to pair. Whom it does not know, it refuses before it reads the body (protocol.md section 4); so a head
 * without a body shows whether it knows the key id. A head with a key id that nobody has shows whether such refusals arrive here at all.
 */
export async function refusalReason(
  destination: Destination,
  signer: SenderSigner,
  limitMs: number,
): Promise<RefusalReason> {
  const asItIs = signer.sign(PROTOCOL_VERSION, { purpose: 'pair', body: Buffer.alloc(0) });
  const renamedSigner = new SenderSigner(signer.secretKeys, randomBytes(16).toString('base64url'));
  const ask = (clientIdHeader: string): Promise<boolean> =>
    isRefusedEarly(destination, clientIdHeader, limitMs);
  const [unknownKid, own, renamed] = await Promise.all([
    ask(asItIs.replace(parseClientIdHeader(asItIs).kid, randomBytes(4).toString('hex'))),
    ask(asItIs),
    ask(renamedSigner.sign(PROTOCOL_VERSION, { purpose: 'pair', body: Buffer.alloc(0) })),
  ]);
  if (!unknownKid) {
    return 'unknown';
  }
  if (renamed) {
    return 'secret';
  }
  return own ? 'self' : 'audience';
}

/** Whether a pairing request is refused as that of nobody, although its body is still to come. */
async function isRefusedEarly(
  destination: Destination,
  clientIdHeader: string,
  limitMs: number,
): Promise<boolean> {
  const socket = await connectedAgain(destination, limitMs);
  const head = [
    `POST ${PAIR_PATH} HTTP/1.1`,
    `host: ${new URL(destination.origin).host}`,
    `${RELAY_HEADER}: ${PROTOCOL_VERSION}`,
    `${CLIENT_ID_HEADER}: ${clientIdHeader}`,
    `content-length: ${MAX_PAIR_REQUEST_BYTES}`,
    'content-type: application/octet-stream',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  try {
    const received = (await within(EARLY_MS, once(socket, 'data'))) as [Buffer] | undefined;
    return String(received?.[0]).startsWith(`HTTP/1.1 ${RelayStatus.SENDER_REFUSED}`);
  } catch {
    // A connection that was lost shows nothing.
    return false;
  } finally {
    socket.destroy();
  }
}

async function connectedAgain(destination: Destination, limitMs: number): Promise<Socket> {
  const socket = await connected(destination, limitMs);
  return destination.isSecure ? secured(socket, destination, limitMs) : socket;
}

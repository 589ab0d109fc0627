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
  /** Something on the path keeps requests until they are complete, or responds itself, so that nothing shows. */
  | 'unknown';

/** What comes of a head whose body is still to come. */
type Outcome =
  /** Relay B refuses it as that of nobody. */
  | 'refused'
  /** Relay B waits for the body. */
  | 'silent'
  /** Somebody else responds, or the connection is lost. */
  | 'other';

/** Until then, a relay has refused what it refuses by the head alone. */
const EARLY_MS = 1_000;
/** How much later than the first refusal the others may come. */
const MARGIN = 3;

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
  const ask = (clientIdHeader: string, waitMs: number): Promise<Outcome> =>
    outcomeOf(destination, clientIdHeader, { limitMs, waitMs });
  const unknownKid = randomBytes(4).toString('hex');
  const startedAtMs = performance.now();
  const first = await ask(asItIs.replace(parseClientIdHeader(asItIs).kid, unknownKid), EARLY_MS);
  if (first !== 'refused') {
    return 'unknown';
  }
  const waitMs = Math.max(EARLY_MS, MARGIN * (performance.now() - startedAtMs));
  const [own, renamed] = await Promise.all([
    ask(asItIs, waitMs),
    ask(renamedSigner.sign(PROTOCOL_VERSION, { purpose: 'pair', body: Buffer.alloc(0) }), waitMs),
  ]);
  return REASONS[`${own} ${renamed}`] ?? 'unknown';
}

/** By what comes of our own head, and of ours under another client id. */
const REASONS: Readonly<Record<string, RefusalReason>> = {
  'refused refused': 'secret',
  'refused silent': 'self',
  'silent silent': 'audience',
};

async function outcomeOf(
  destination: Destination,
  clientIdHeader: string,
  { limitMs, waitMs }: { readonly limitMs: number; readonly waitMs: number },
): Promise<Outcome> {
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
    const ended = once(socket, 'close').then(() => ['closed']);
    ended.catch(() => undefined);
    const received = await within(waitMs, Promise.race([once(socket, 'data'), ended]));
    if (received === undefined) {
      return 'silent';
    }
    const [shown] = received as [Buffer | string];
    const isRefusal = String(shown).startsWith(`HTTP/1.1 ${RelayStatus.SENDER_REFUSED} `);
    return isRefusal ? 'refused' : 'other';
  } catch {
    return 'other';
  } finally {
    socket.destroy();
  }
}

async function connectedAgain(destination: Destination, limitMs: number): Promise<Socket> {
  const socket = await connected(destination, limitMs);
  return destination.isSecure ? secured(socket, destination, limitMs) : socket;
}

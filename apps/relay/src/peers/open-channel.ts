import { RelayStatus } from '@relay/errors';
import type { ChannelType } from '@relay/protocol';

import type { AcceptedChannel, OpeningFailure } from './channel-opener.js';
import type { ChannelTools } from './channel-tools.js';
import type { SequenceReservation } from './peer-session.js';
import type { Peer } from './peer.js';

const SESSION_GONE: ReadonlySet<number> = new Set([
  RelayStatus.SESSION_EXPIRED,
  RelayStatus.SESSION_UNKNOWN,
  // Late although it came in time: a clock was stepped, and only another session has the right age.
  RelayStatus.DECODE_FAILED,
]);

/** What is wanted of a peer, and who receives it. */
export interface Opening {
  readonly type: ChannelType;
  /** Of the client for whom it is, for the limit on first pairings; undefined if the peer has been paired with. */
  readonly network?: string;
  /** Called in the turn in which the peer has accepted. */
  readonly onAccepted: (accepted: AcceptedChannel, reservation: SequenceReservation) => void;
}

/**
 * Opens one channel to a peer. An opening may have been repeated by a gateway, and its session may be gone: both show only in the
 * response to it, and then it is tried once more. protocol.md section 11.1.
 *
 * @returns why the channel was not opened, or undefined if it was
 * @throws TunnelFailedError if there is no session
 */
export async function openChannel(
  peer: Peer,
  tools: Pick<ChannelTools, 'opener' | 'reports'>,
  opening: Opening,
): Promise<OpeningFailure | undefined> {
  const failure = await tryOnce(peer, tools, opening);
  const isWorthwhile =
    failure?.kind === 'signed-error' &&
    (SESSION_GONE.has(failure.signedError.status) ||
      failure.signedError.status === RelayStatus.REPLAYED);
  return isWorthwhile ? tryOnce(peer, tools, opening) : failure;
}

async function tryOnce(
  peer: Peer,
  { opener, reports }: Pick<ChannelTools, 'opener' | 'reports'>,
  { type, network, onAccepted }: Opening,
): Promise<OpeningFailure | undefined> {
  const reservation = await peer.reserve(network);
  const failure = await opener.open(peer.address, reservation, type, (accepted) => {
    onAccepted(accepted, reservation);
  });
  if (failure !== undefined) {
    reports.opening(failure.kind);
  }
  if (failure?.kind === 'signed-error' && SESSION_GONE.has(failure.signedError.status)) {
    peer.drop(reservation.session.sid);
  }
  return failure;
}

import type { WaitingOctets } from '@relay/channel';
import type { Clock } from '@relay/clock';
import { RelayStatus } from '@relay/errors';
import { Deferred } from '@relay/http';

import type { ChannelReports } from '../channels/channel-reports.js';
import {
  OpeningTimeoutError,
  neverOpen,
  type ChannelOpener,
  type OpeningFailure,
} from '../peers/channel-opener.js';
import type { ConnectionChannels } from '../peers/connection-channels.js';
import { UnsignedStatusError, isRelayStatus } from '../peers/intermediary-response.js';
import { openChannel } from '../peers/open-channel.js';
import { PeerChannel } from '../peers/peer-channel.js';
import type { Peer } from '../peers/peer.js';
import { printable } from './intermediaries.js';
import { StepFailedError, within, type Steps } from './steps.js';

/** The parts of a relay that open channels. */
export interface ChannelParts {
  readonly opener: ChannelOpener;
  readonly reports: ChannelReports;
  readonly waiting: WaitingOctets;
  readonly clock: Clock;
  readonly connections: ConnectionChannels;
}

/** The step channel: relay B accepts the opening, and its first record authenticates. Without a stream, nothing is forwarded. @returns whether it passes */
export async function openOne(
  steps: Steps,
  peer: Peer,
  parts: ChannelParts,
  limitMs: number,
): Promise<boolean> {
  const isOpen = await steps.run('channel', 'CHECK_CHANNEL_FAILED', async () => {
    const channel = opened(await within(limitMs, openSharedChannel(peer, parts)), limitMs);
    channel.finish();
    return { detail: 'the path carries WebSocket upgrades, and a channel opens', value: true };
  });
  return isOpen === true;
}

/**
 * The step websocket: a channel of the type that carries a client's WebSocket. Whether the API takes one only a request to it would
 * show.
 */
export async function openForConnection(
  steps: Steps,
  peer: Peer,
  { connections }: ChannelParts,
  limitMs: number,
): Promise<void> {
  await steps.run('websocket', 'CHECK_CHANNEL_FAILED', async () => {
    const channel = opened(await within(limitMs, connections.open(peer, '')), limitMs);
    channel.finish();
    const detail = 'a channel for a WebSocket of a client opens; the API was not asked for one';
    return { detail, value: undefined };
  });
}

function opened(result: PeerChannel | OpeningFailure | undefined, limitMs: number): PeerChannel {
  if (result instanceof PeerChannel) {
    return result;
  }
  throw result === undefined
    ? new StepFailedError('CHECK_CHANNEL_TIMEOUT', `no channel within ${limitMs} ms`)
    : failureOf(result);
}

async function openSharedChannel(
  peer: Peer,
  parts: ChannelParts,
): Promise<PeerChannel | OpeningFailure> {
  const result = new Deferred<PeerChannel | OpeningFailure>();
  const failure = await openChannel(peer, parts, {
    type: 'chan',
    onAccepted: (accepted, reservation) => {
      const channel: PeerChannel = new PeerChannel(
        { ordinal: 1, type: 'chan', dueAtMs: Infinity },
        accepted,
        reservation,
        parts.waiting,
        {
          onOpen: () => {
            result.resolve(channel);
          },
          onDraining: () => undefined,
          onReset: () => undefined,
          onEnd: (cause) => {
            result.resolve(neverOpen(cause ?? new Error('the channel ended before it had opened')));
          },
        },
        parts.clock,
      );
    },
  });
  return failure ?? result.promise;
}

function failureOf(failure: OpeningFailure): StepFailedError {
  const { cause } = failure;
  if (failure.kind === 'signed-error') {
    return refusedBy(failure.signedError.status);
  }
  if (cause instanceof UnsignedStatusError) {
    return blocked(cause);
  }
  if (cause instanceof OpeningTimeoutError) {
    return new StepFailedError('CHECK_CHANNEL_TIMEOUT', 'the opening got no response in time');
  }
  return failure.kind === 'no-channels'
    ? new StepFailedError('CHECK_UPGRADE_BLOCKED', `the path carries no channels: ${cause.message}`)
    : new StepFailedError('CHECK_CHANNEL_FAILED', `the connection was lost: ${cause.message}`);
}

function refusedBy(status: number): StepFailedError {
  switch (status) {
    case RelayStatus.OVERLOADED:
      return new StepFailedError(
        'CHECK_CHANNEL_REFUSED',
        'relay B has signed that it has no place',
      );
    case RelayStatus.STORE_UNAVAILABLE:
    case RelayStatus.MARK_FAILED:
      return new StepFailedError('CHECK_STORE_AWAY', 'relay B cannot reach its session store');
    case RelayStatus.SESSION_UNKNOWN:
      return new StepFailedError(
        'CHECK_SESSION_LOST',
        'relay B does not know the session that it has just made: its replicas do not share a store',
      );
    default:
      return new StepFailedError('CHECK_CHANNEL_FAILED', `relay B has signed status ${status}`);
  }
}

/** A relay whose opening has lost its upgrade on the way refuses it as it does a malformed one. */
function blocked({ status, server }: UnsignedStatusError): StepFailedError {
  if (status === RelayStatus.SENDER_REFUSED) {
    return new StepFailedError(
      'CHECK_UPGRADE_STRIPPED',
      'either the upgrade is lost on the way, or another relay, which does not know this sender, responds to GET /api/mte-channel',
    );
  }
  if (isRelayStatus(status)) {
    return new StepFailedError(
      'CHECK_UPGRADE_STRIPPED',
      `the upgrade is lost on the way: relay B refuses the rest of the opening with status ${status}`,
    );
  }
  const who = server === undefined ? 'something on the path' : printable(server);
  return new StepFailedError(
    'CHECK_UPGRADE_BLOCKED',
    `${who} responds to the upgrade with status ${status}, instead of passing it on`,
  );
}

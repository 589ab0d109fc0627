import { RelayError, type Forwarded } from '@relay/errors';

/** `x-mte-upstream` is missing, or is not the origin of a relay. */
export class UpstreamHeaderInvalidError extends RelayError {
  readonly code = 'RELAY_UPSTREAM_HEADER_INVALID';
}

/** `x-mte-upstream` names a relay that this one may not call. */
export class UpstreamRefusedError extends RelayError {
  readonly code = 'RELAY_UPSTREAM_REFUSED';
}

/** Codes of a tunnel that failed. docs/operations.md explains each to operators. */
export type TunnelFailureCode =
  | 'RELAY_BODY_IDLE'
  | 'RELAY_BUSY'
  | 'RELAY_CHANNEL_UNAVAILABLE'
  | 'RELAY_MESSAGE_TOO_LONG'
  | 'RELAY_PAIR_REFUSED'
  | 'RELAY_PEER_UNAVAILABLE'
  | 'RELAY_PEER_UNREACHABLE'
  | 'RELAY_PEER_CONNECT_TIMEOUT'
  | 'RELAY_PEER_PROXY_UNREACHABLE'
  | 'RELAY_PEER_PROXY_TIMEOUT'
  | 'RELAY_PEER_PROXY_AUTH_FAILED'
  | 'RELAY_PEER_PROXY_REFUSED'
  | 'RELAY_PEER_TIMEOUT'
  | 'RELAY_PEER_STALLED'
  | 'RELAY_PEER_STORE_UNAVAILABLE'
  | 'RELAY_PEER_CONNECTION_LOST'
  | 'RELAY_PEER_ANSWER_INVALID'
  | 'RELAY_PEER_ANSWER_TOO_LARGE'
  | 'RELAY_PEER_REFUSED_MESSAGE';

interface TunnelFailureOptions extends ErrorOptions {
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number | undefined;
}

/** Pairing with the other relay failed, or a message to it did. */
export class TunnelFailedError extends RelayError {
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: TunnelFailureCode,
    readonly forwarded: Forwarded,
    message: string,
    options: TunnelFailureOptions = {},
  ) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** What a pairing was refused with. */
export class PairingStatusError extends Error {
  /** @param isSigned - whether the peer has signed it: it holds the secret then */
  constructor(
    readonly status: number,
    readonly isSigned: boolean,
  ) {
    super(`pairing was refused with status ${status}`);
  }
}

/** There was no connection to the other relay, so no key was made for the pairing. */
export class NotConnectedError extends TunnelFailedError {}

/** As many pairings with peers that were never paired are pending, or have failed, as the clients of one network may cause. */
export class FirstPairingLimitError extends TunnelFailedError {
  constructor() {
    super('RELAY_BUSY', 'no', 'too many pairings with new relays are pending or have failed', {
      retryAfter: 1,
    });
  }
}

/** The other relay is at one of its limits. protocol.md section 8, status 564. */
export function peerOverloadedError(forwarded: Forwarded): TunnelFailedError {
  return new TunnelFailedError('RELAY_BUSY', forwarded, 'the other relay is overloaded', {
    retryAfter: 1,
  });
}

/** The peer cannot be reached. */
export const UNREACHABLE_CODES: ReadonlySet<TunnelFailureCode> = new Set([
  'RELAY_PEER_UNREACHABLE',
  'RELAY_PEER_CONNECT_TIMEOUT',
  'RELAY_PEER_TIMEOUT',
  'RELAY_PEER_PROXY_UNREACHABLE',
  'RELAY_PEER_PROXY_TIMEOUT',
  'RELAY_PEER_PROXY_AUTH_FAILED',
  'RELAY_PEER_PROXY_REFUSED',
]);
/** The peer's session store is unavailable, or the peer is overloaded. */
export const BUSY_CODES: ReadonlySet<TunnelFailureCode> = new Set([
  'RELAY_PEER_STORE_UNAVAILABLE',
  'RELAY_BUSY',
]);

/**
 * What is reported if each origin of a peer has failed, and nothing was forwarded at any of them: with a single origin its failure,
 * with several the reason that they have in common, unless it is that the peer is away.
 *
 * @param failures - one of each origin
 */
export function noOriginLeft(failures: readonly RelayError[]): RelayError | undefined {
  const [first, ...others] = failures;
  const codes = [...new Set(failures.map(({ code }) => code))];
  if (others.length === 0 || (codes.length === 1 && !failures.some(isAway))) {
    return first;
  }
  const waits = failures.flatMap((failure) =>
    failure instanceof TunnelFailedError ? (failure.retryAfter ?? []) : [],
  );
  return new TunnelFailedError(
    'RELAY_PEER_UNAVAILABLE',
    'no',
    `none of the ${failures.length} origins of the other relay can be used: ${codes.join(', ')}`,
    { cause: failures.at(-1), retryAfter: waits.length === 0 ? 1 : Math.min(...waits) },
  );
}

/** Without a channel where nothing else is allowed, a peer is as good as away. */
function isAway(failure: RelayError): boolean {
  return (
    failure instanceof TunnelFailedError &&
    (UNREACHABLE_CODES.has(failure.code) || failure.code === 'RELAY_CHANNEL_UNAVAILABLE')
  );
}

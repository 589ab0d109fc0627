import { RelayStatus } from '@relay/errors';

const RELAY_STATUSES: ReadonlySet<number> = new Set(Object.values(RelayStatus));
/** Of gateways that do not reach what is behind them: RFC 9110, and Cloudflare's own. */
const UNREACHED_STATUSES: ReadonlySet<number> = new Set([502, 503, 520, 521, 522, 523]);
const TIME_OUT_STATUSES: ReadonlySet<number> = new Set([408, 504, 524]);
const TOO_LARGE_STATUSES: ReadonlySet<number> = new Set([413, 414, 431]);

/** A response that is neither a success nor signed. Only its status is of use: it says nothing that can be trusted. */
export class UnsignedStatusError extends Error {
  /** @param server - the field of that name: whoever responded says that it is this */
  constructor(
    readonly status: number,
    readonly server?: string,
  ) {
    super(`the other relay's address responded with status ${status}`);
  }
}

/** Whether a relay may have given this status, signed or not. */
export function isRelayStatus(status: number): boolean {
  return RELAY_STATUSES.has(status);
}

/** Whether this is the status of a gateway that does not reach the relay behind it. */
export function meansUnreached(status: number): boolean {
  return UNREACHED_STATUSES.has(status) || TIME_OUT_STATUSES.has(status);
}

/** What a client is told if something that is not a relay has responded: the status, and what the operator can do. */
export function intermediaryResponded(status: number): string {
  return `an intermediary between the relays responded itself, with status ${status}: ${adviceOn(status)}`;
}

function adviceOn(status: number): string {
  if (TIME_OUT_STATUSES.has(status)) {
    return 'its timeouts must be longer than those of the relays';
  }
  if (UNREACHED_STATUSES.has(status)) {
    return 'it does not reach the other relay, or its timeouts are shorter than those of the relays';
  }
  if (TOO_LARGE_STATUSES.has(status)) {
    return 'its limits on the size of bodies and heads must be higher';
  }
  return 'its log has the reason';
}

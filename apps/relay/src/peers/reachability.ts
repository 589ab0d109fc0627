import type { Clock } from '@relay/clock';

import type { RelayLog } from '../telemetry/relay-log.js';
import { BackOff, UNREACHABLE_BACK_OFF } from './back-off.js';
import type { TunnelFailedError } from './peers.errors.js';

const PROBE_INTERVAL_MS = 1_000;
/** After this many probes without a request in between, an unreachable peer is no longer probed. */
const MAX_UNREQUESTED_PROBES = 60;
/** How long a peer counts as unreachable although it is not probed. */
const REMEMBERED_MS = MAX_UNREQUESTED_PROBES * PROBE_INTERVAL_MS;

/** How a peer is probed. */
interface Probe {
  /** Whether the peer is known to be a relay, or listed as one. One that a client has merely named is not probed. */
  isWorthwhile(): boolean;
  /** @returns whether a relay responds at the peer's origin */
  send(): Promise<boolean>;
  /** Called when the peer can be reached again. */
  onReached(): void;
}

/**
 * Whether a peer can be reached. While it cannot, requests to it fail immediately, and it is probed until it responds or there
 * has been no request to it for a minute. protocol.md section 9. A peer that only clients say to be a relay is not probed: after
 * the back-off, the next request shows whether it can be reached.
 */
export class Reachability {
  private readonly backOff: BackOff;
  private isUnreachable = false;
  /** Identifies the current series of probes. The result of a probe of an earlier series no longer counts. */
  private probing: symbol | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private unrequestedProbes = 0;
  private reportedAtMs = -Infinity;
  private isClosed = false;

  constructor(
    private readonly origin: string,
    private readonly probe: Probe,
    private readonly clock: Clock,
    private readonly log: RelayLog,
  ) {
    this.backOff = new BackOff(UNREACHABLE_BACK_OFF, clock);
  }

  /** What the last contact showed. A peer that is no longer probed may be back, so nothing is known about it. */
  get state(): 'reachable' | 'unreachable' | 'unknown' {
    if (!this.isUnreachable) {
      return 'reachable';
    }
    const isRecent = this.clock.monotonicMs() - this.reportedAtMs < REMEMBERED_MS;
    return this.probing !== undefined || isRecent ? 'unreachable' : 'unknown';
  }

  /** There is a request to the peer, so it is worth probing. */
  noteRequest(): void {
    this.unrequestedProbes = 0;
  }

  /** @throws TunnelFailedError with the failure that made the peer unreachable, while it is backed off from */
  throwIfUnreachable(): void {
    this.backOff.throwIfActive();
  }

  /** The peer could not be connected to: requests that follow fail immediately until it responds again. */
  reportUnreachable(failure: TunnelFailedError): void {
    this.backOff.begin(failure);
    this.isUnreachable = true;
    this.reportedAtMs = this.clock.monotonicMs();
    this.log.debug('peer unreachable: requests to it fail immediately for a while', {
      peer: this.origin,
      code: failure.code,
    });
    if (this.probing === undefined && !this.isClosed && this.probe.isWorthwhile()) {
      this.probing = Symbol('probing');
      this.probeLater(this.probing);
    }
  }

  /** The peer has responded, whatever the response says. */
  reportReached(): void {
    if (this.isUnreachable) {
      this.isUnreachable = false;
      this.log.info('peer reachable again', { peer: this.origin });
      this.probe.onReached();
    }
    this.backOff.end();
    this.stopProbing();
  }

  /** Ends the probing, and lets none begin again. */
  close(): void {
    this.isClosed = true;
    this.stopProbing();
  }

  private stopProbing(): void {
    this.probing = undefined;
    clearTimeout(this.probeTimer);
  }

  private probeLater(probing: symbol): void {
    this.probeTimer = setTimeout(() => {
      void this.probeOnce(probing);
    }, PROBE_INTERVAL_MS).unref();
  }

  private async probeOnce(probing: symbol): Promise<void> {
    const responds = await this.probe.send();
    if (this.probing !== probing) {
      return;
    }
    this.unrequestedProbes += 1;
    if (responds) {
      this.reportReached();
    } else if (this.unrequestedProbes < MAX_UNREQUESTED_PROBES) {
      this.probeLater(probing);
    } else {
      this.probing = undefined;
    }
  }
}

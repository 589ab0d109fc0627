import type { Peer } from '../peers/peer.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import type { ForwardingOutcome } from './forwarding-context.js';
import type { Forwarding } from './forwarding.js';
import { askInTurn, type Failover } from './origin-failover.js';

/** One client request on its way to a peer with several origins: to one of them, and on to the next if nothing was forwarded. */
export class OriginsForwarding {
  private current: Forwarding | undefined;
  private abortReason: Error | undefined;

  /** @param begin - prepares to forward the request to one of the origins */
  constructor(
    private readonly failover: Failover,
    private readonly begin: (peer: Peer, hasOtherOrigin: boolean) => Forwarding,
  ) {}

  /** As `Forwarding.run`. */
  run(): Promise<ForwardingOutcome> {
    return askInTurn(
      this.failover,
      (peer, hasOtherOrigin) => {
        this.current = this.begin(peer, hasOtherOrigin);
        if (this.abortReason !== undefined) {
          this.current.abort(this.abortReason);
        }
        // Without waiting: the body is kept from here on, whatever the attempts at the previous origin have yet to read.
        return this.current.run();
      },
      (error): error is TunnelFailedError =>
        error instanceof TunnelFailedError && this.current?.mayGoElsewhere === true,
    );
  }

  /** As `Forwarding.abort`. */
  abort(reason: Error): void {
    this.abortReason = reason;
    this.current?.abort(reason);
  }
}

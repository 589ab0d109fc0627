import type { Socket } from 'node:net';

import type { RelayError } from '@relay/errors';
import type { RequestHead } from '@relay/protocol';

/** Where the body of an opened request comes from. */
export interface RequestSource {
  /** Stops reading, so that nothing keeps waiting for a body that is no longer needed. */
  cancel(reason: Error): void;
}

/** An upgrade that a peer asks for. */
export interface WantedUpgrade {
  /** As the client has named it. */
  readonly protocol: string;
  /**
   * The upstream has switched protocols.
   *
   * @param rawFields - of its 101
   * @throws HeadInvalidError if it was not to this protocol, or the head cannot be passed on
   */
  accept(rawFields: readonly (string | Buffer)[], socket: Socket): void;
}

/** A request that a peer has sealed, as it is forwarded, whichever way it came. */
export interface OpenedRequest {
  readonly head: RequestHead;
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
  readonly opener: RequestSource;
  /** Why this relay responds to an authentic request itself instead of forwarding it. */
  readonly refusal?: RelayError;
  /** If an upgrade is asked for. */
  readonly upgrade?: WantedUpgrade;
}

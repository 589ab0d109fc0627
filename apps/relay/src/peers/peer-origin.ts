import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { UpstreamHeaderInvalidError, UpstreamRefusedError } from './peers.errors.js';
import { isRefusedAddress } from './refused-addresses.js';

/** The longest origin that a pairing request can name. protocol.md section 4. */
const MAX_ORIGIN_BYTES = 255;

/** Accepted values that are remembered: clients name few relays, and always the same ones. */
const MAX_KNOWN = 1_000;

/** An origin with nothing that a URL parser could read as user, path, query or fragment. */
const ORIGIN = /^https?:\/\/[^\s/?#@\\]+\/?$/i;

/** Decides which relays clients may name. */
@Injectable()
export class PeerOrigins {
  private readonly allowed: ReadonlySet<string> | undefined;
  /** Accepted values and their origins. Whether a value is accepted never changes. */
  private readonly known = new Map<string, string>();

  constructor(config: RelayConfig) {
    const { outboundAllowedUpstreams } = config;
    this.allowed =
      outboundAllowedUpstreams === undefined ? undefined : new Set(outboundAllowedUpstreams);
  }

  /**
   * @param value - `x-mte-upstream` as the client sent it
   * @returns the origin in its normal form, by which peers and their sessions are told apart
   * @throws UpstreamHeaderInvalidError, UpstreamRefusedError
   */
  parse(value: string | string[] | undefined): string {
    if (typeof value !== 'string') {
      throw new UpstreamHeaderInvalidError('x-mte-upstream is missing');
    }
    const known = this.known.get(value);
    if (known !== undefined) {
      return known;
    }
    const origin = this.accepted(value);
    if (this.known.size >= MAX_KNOWN) {
      this.known.clear();
    }
    this.known.set(value, origin);
    return origin;
  }

  /** Whether the operator has listed the peers. If not, their names must not resolve to refused addresses. */
  get areListed(): boolean {
    return this.allowed !== undefined;
  }

  private accepted(value: string): string {
    if (!ORIGIN.test(value) || !URL.canParse(value)) {
      throw new UpstreamHeaderInvalidError(
        'x-mte-upstream is not an http or https URL without user, path, query and fragment',
      );
    }
    const { origin, hostname } = new URL(value);
    if (origin.length > MAX_ORIGIN_BYTES) {
      throw new UpstreamHeaderInvalidError(
        `x-mte-upstream is longer than ${MAX_ORIGIN_BYTES} bytes`,
      );
    }
    const isListed = this.allowed?.has(origin);
    if (isListed === false || (isListed === undefined && isRefusedAddress(hostname))) {
      throw new UpstreamRefusedError('x-mte-upstream names a relay that may not be called');
    }
    return origin;
  }
}

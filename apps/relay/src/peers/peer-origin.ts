import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { UpstreamHeaderInvalidError, UpstreamRefusedError } from './peers.errors.js';
import { isRefusedAddress } from './refused-addresses.js';

/** What a pairing request can name. protocol.md section 4. */
const MAX_ORIGIN_BYTES = 255;

/** Clients name few relays, again and again. */
const MAX_KNOWN = 1_000;

/** An origin with nothing that a URL parser could read as user, path, query or fragment. */
const ORIGIN = /^https?:\/\/[^\s/?#@\\]+\/?$/i;

/** Decides which relays clients may name. */
@Injectable()
export class PeerOrigins {
  private readonly allowed: ReadonlySet<string> | undefined;
  /** Values that were accepted, and their origins: what is said of a value never changes. */
  private readonly known = new Map<string, string>();

  constructor(config: RelayConfig) {
    const { outboundAllowedUpstreams } = config;
    this.allowed =
      outboundAllowedUpstreams === undefined ? undefined : new Set(outboundAllowedUpstreams);
  }

  /**
   * @param value - `x-mte-upstream` as the client sent it
   * @returns the origin in the form that sessions are kept under
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

  /** Whether names are looked up without a check of the address: only where the operator listed them all. */
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

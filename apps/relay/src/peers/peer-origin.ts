import { Injectable } from '@nestjs/common';
import type { ClientEntry } from '@relay/config';

import { DirectoryService } from '../directory/directory.service.js';
import type { KnownDirectory } from '../directory/known-directory.js';
import type { KnownPeer } from '../directory/known-peer.js';
import { UpstreamHeaderInvalidError, UpstreamRefusedError } from './peers.errors.js';
import { isRefusedAddress } from './refused-addresses.js';

/** The longest origin that a pairing request can name. protocol.md section 4. */
const MAX_ORIGIN_BYTES = 255;

/** Accepted values that are remembered: clients name few relays, and always the same ones. */
const MAX_KNOWN = 1_000;

/** An origin with nothing that a URL parser could read as user, path, query or fragment. */
const ORIGIN = /^https?:\/\/[^\s/?#@\\]+\/?$/i;
/** No origin looks like a name. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The peer that a client names, and where it may be called: at one of its origins, which all lead to it. */
export interface NamedPeer {
  readonly known: KnownPeer;
  readonly origins: readonly [string, ...string[]];
}

/** Finds the relays that clients name, and decides which they may name. */
@Injectable()
export class PeerOrigins {
  /** What values named in one state of the directory. */
  private readonly named = new Map<string, NamedPeer>();
  private namedIn: KnownDirectory | undefined;

  constructor(private readonly directory: DirectoryService) {}

  /**
   * @param value - `x-mte-upstream` as the client sent it: the name or an origin of a peer
   * @throws UpstreamHeaderInvalidError, UpstreamRefusedError
   */
  parse(value: string | string[] | undefined, client: ClientEntry): NamedPeer {
    if (typeof value !== 'string') {
      throw new UpstreamHeaderInvalidError('x-mte-upstream is missing');
    }
    const named = this.find(value, client);
    if (client.peers?.includes(named.known.name) === false) {
      throw new UpstreamRefusedError('x-mte-upstream names a relay that this client may not call');
    }
    return named;
  }

  /** A peer that was found by a host or a listener of it. @throws UpstreamRefusedError */
  ofKnown({ name }: KnownPeer, client: ClientEntry): NamedPeer {
    if (client.peers?.includes(name) === false) {
      throw new UpstreamRefusedError('the host leads to a relay that this client may not call');
    }
    return this.find(name, client);
  }

  /** Whether the operator has listed the peers. If not, their names must not resolve to refused addresses. */
  get areListed(): boolean {
    return this.directory.current.peers.every(
      ({ entry: { reach } }) => reach.kind === 'origins' || reach.allowed !== undefined,
    );
  }

  private find(value: string, client: ClientEntry): NamedPeer {
    const { current } = this.directory;
    if (this.namedIn !== current || this.named.size >= MAX_KNOWN) {
      this.named.clear();
      this.namedIn = current;
    }
    // No name of a client has a blank in it.
    const key = `${client.name} ${value}`;
    const known = this.named.get(key);
    if (known !== undefined) {
      return known;
    }
    const named = NAME.test(value) ? byName(value, current) : byOrigin(value, current, client);
    this.named.set(key, named);
    return named;
  }
}

function byName(name: string, directory: KnownDirectory): NamedPeer {
  const known = directory.peerNamed(name);
  if (known?.entry.reach.kind !== 'origins') {
    throw new UpstreamRefusedError('x-mte-upstream is the name of no peer of this relay');
  }
  const [first, ...others] = known.entry.reach.origins;
  if (first === undefined) {
    throw new UpstreamRefusedError(
      'x-mte-upstream names a peer that has no origin to be called at',
    );
  }
  return { known, origins: [first, ...others] };
}

function byOrigin(value: string, directory: KnownDirectory, client: ClientEntry): NamedPeer {
  if (!ORIGIN.test(value) || !URL.canParse(value)) {
    throw new UpstreamHeaderInvalidError(
      'x-mte-upstream is neither the name of a peer, nor an http or https URL without user, path, query and fragment',
    );
  }
  const { origin, hostname } = new URL(value);
  if (origin.length > MAX_ORIGIN_BYTES) {
    throw new UpstreamHeaderInvalidError(`x-mte-upstream is longer than ${MAX_ORIGIN_BYTES} bytes`);
  }
  const listed = directory.peerAt(origin);
  if (listed !== undefined) {
    return byName(listed.name, directory);
  }
  // DOMAIN_MAP makes several, of which each client has its own.
  const known = directory.peers.find(
    ({ name, entry }) => entry.reach.kind === 'named' && client.peers?.includes(name) !== false,
  );
  if (known?.entry.reach.kind !== 'named') {
    throw new UpstreamRefusedError('x-mte-upstream names a relay that may not be called');
  }
  const { allowed } = known.entry.reach;
  const isRefused = allowed === undefined ? isRefusedAddress(hostname) : !allowed.includes(origin);
  if (isRefused) {
    throw new UpstreamRefusedError('x-mte-upstream names a relay that may not be called');
  }
  return { known, origins: [origin] };
}

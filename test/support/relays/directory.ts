import type { PeerEntry, RelayConfig } from '@relay/config';
import { audienceHash } from '@relay/protocol';
import type { Audiences } from '@relay/session';
import { RelayName } from '@relay/signature';

import { DirectoryService } from '../../../apps/relay/src/directory/directory.service.js';
import type { KnownPeer } from '../../../apps/relay/src/directory/known-peer.js';
import type { PeerAddress } from '../../../apps/relay/src/peers/peer-address.js';
import {
  upstreamSettings,
  type UpstreamSettings,
} from '../../../apps/relay/src/upstream/upstream-settings.js';

/** The directory of a relay with this configuration. */
export function directoryOf(config: RelayConfig): Promise<DirectoryService> {
  return DirectoryService.begin(config.directory, new RelayName('relay-of-the-test'));
}

/** The settings of the one upstream of a relay with this configuration. */
export function settingsOf(config: RelayConfig): UpstreamSettings {
  const [tenant] = config.directory.tenants;
  if (tenant === undefined) {
    throw new Error('the configuration has no tenant');
  }
  return upstreamSettings(tenant, config);
}

/** The audiences that RELAY_AUDIENCE lists, for every peer. */
export function audiencesOf({ relayAudience }: RelayConfig): Audiences {
  const names = relayAudience?.map((audience) => audienceHash(audience).toString('hex'));
  const accepts = (audience: string): boolean => names?.includes(audience) !== false;
  return { accepts, isOwn: accepts };
}

const ENTRY: PeerEntry = {
  name: '',
  reach: { kind: 'named', allowed: undefined },
  secret: 'never used',
  transport: 'auto',
};

/** A peer without keys, for what neither signs nor verifies. */
const KEYLESS = { name: '', entry: ENTRY, sign: () => 'signed' } as unknown as KnownPeer;

/** The address of a peer for what neither signs nor verifies. */
export function addressOf(origin: string): PeerAddress {
  return { origin, known: KEYLESS };
}

/** A directory that knows this peer, and never changes. */
export const KEYLESS_DIRECTORY = {
  current: { peers: [KEYLESS], peerNamed: () => KEYLESS },
  onChange: () => undefined,
} as unknown as DirectoryService;

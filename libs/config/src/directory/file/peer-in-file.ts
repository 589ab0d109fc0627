import { IsIn } from 'class-validator';

import { hostPattern } from '../../rules/host-pattern.js';
import { origin } from '../../rules/url.js';
import { TUNNEL_TRANSPORTS, type TunnelTransport } from '../../transport-options.js';
import { list, Mapping, Optional, text, Value } from './keys.js';
import { SecretSource } from './sources.js';
import type { Plain } from './yaml-text.js';

/** Far more than the API of one peer has: many names are one with a wildcard. */
const MAX_HOSTS = 1_000;

const HOW_SECRET =
  'must be { file: PATH } or { env: NAME }: a secret does not stand in this file itself';

/** A key of `peers`. */
export class PeerInFile {
  /** How to reach the peer: http or https origins; without any, the peer only calls this relay. */
  @Optional()
  @Value(list(text(origin)))
  readonly origins?: readonly string[];

  /** The secret that this relay shares with the peer alone: signs and pairs. */
  @Mapping(() => SecretSource, HOW_SECRET)
  readonly secret!: SecretSource;

  /** A second secret that is accepted, and never used to sign: for rotation. */
  @Optional()
  @Mapping(() => SecretSource, HOW_SECRET)
  readonly secretAlt?: SecretSource;

  /** As TUNNEL_TRANSPORT, which is the default. */
  @Optional()
  @IsIn(TUNNEL_TRANSPORTS, { message: `must be one of ${TUNNEL_TRANSPORTS.join(', ')}` })
  readonly transport?: TunnelTransport;

  /** Where the URL of the egress proxy on the way to the peer is; without it, PEER_PROXY_URL counts. */
  @Optional()
  @Mapping(
    () => SecretSource,
    'must be { file: PATH } or { env: NAME }: the URL may have a password',
  )
  readonly proxy?: SecretSource;

  /** What clients of the forward proxy call it: `host[:port]`, the host perhaps with `*.` in front. */
  @Optional()
  @Value(list(text(hostPattern), MAX_HOSTS))
  readonly hosts?: readonly string[];

  /** Its listener, with the keys of `ListenInFile`: they are read by themselves, so that all of them are judged. */
  @Optional()
  @Value((value) => value)
  readonly listen?: Plain;
}

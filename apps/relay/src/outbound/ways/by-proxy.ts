import type { IncomingMessage } from 'node:http';

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { OF_ENVIRONMENT, type ClientEntry, type Grant } from '@relay/config';
import { normalAuthority, rawFieldValues } from '@relay/fields';

import { requestTarget } from '../../client/request-target.js';
import { DirectoryService } from '../../directory/directory.service.js';
import { PeerOrigins, type NamedPeer } from '../../peers/peer-origin.js';
import { PROXY_CREDENTIALS_HEADER, rawTargetOf } from '../../server/request-routing.js';
import {
  HostUnknownError,
  ProxyAuthRequiredError,
  SchemeUnsupportedError,
} from '../outbound.errors.js';
import type { ClientWay } from './client-way.js';
import { readProxyCredentials } from './proxy-credentials.js';

/**
 * A client that takes this relay for its forward proxy: its credentials are those of a proxy, and the host of its URL is one of
 * the peer's. RFC 9112 section 3.2.2. Fields `x-mte-*` mean nothing here: whoever knows nothing of relays may pass on those of
 * others.
 */
@Injectable()
export class ByProxy implements ClientWay {
  constructor(
    private readonly directory: DirectoryService,
    private readonly peerOrigins: PeerOrigins,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  admit({ rawHeaders }: IncomingMessage): Grant {
    const [value, another] = rawFieldValues(rawHeaders, PROXY_CREDENTIALS_HEADER);
    if (value === undefined || another !== undefined) {
      throw new ProxyAuthRequiredError(
        'proxy-authorization is missing or repeated: this proxy is http://CLIENT:TOKEN@host:port to its clients',
      );
    }
    const { user, token } = readProxyCredentials(value) ?? { token: '' };
    const grant = this.directory.current.tokens.find(token, this.clock.nowMs());
    if (grant === undefined || !isNameOf(grant.client, user)) {
      throw new ProxyAuthRequiredError(
        'proxy-authorization does not have the name of a client and its token as Basic credentials',
      );
    }
    return grant;
  }

  peerOf(request: IncomingMessage, client: ClientEntry): NamedPeer {
    if (!/^http:\/\//i.test(rawTargetOf(request))) {
      throw new SchemeUnsupportedError(
        'this relay is a forward proxy for http:// URLs only: it seals them itself, whatever the API speaks',
      );
    }
    const { authority } = requestTarget(request);
    const peer = this.directory.current.hosts.find(authority);
    if (peer === undefined) {
      throw new HostUnknownError(
        `no peer of this relay has the host ${normalAuthority(authority) ?? authority}: add it to peers.NAME.hosts in RELAY_CONFIG_FILE, or call it without this proxy (no_proxy)`,
      );
    }
    return this.peerOrigins.ofKnown(peer, client);
  }
}

/** The name may be left out, and the client of OUTBOUND_TOKEN has none. */
function isNameOf({ name }: ClientEntry, user: string | undefined): boolean {
  return user === undefined || name === OF_ENVIRONMENT || user === name;
}

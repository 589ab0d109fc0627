import type { IncomingMessage } from 'node:http';

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import type { ClientEntry, Grant } from '@relay/config';

import { DirectoryService } from '../../directory/directory.service.js';
import { PeerOrigins, type NamedPeer } from '../../peers/peer-origin.js';
import { TOKEN_HEADER } from '../../server/request-routing.js';
import { TokenInvalidError } from '../outbound.errors.js';
import type { ClientWay } from './client-way.js';

/** A client that knows relays: it sends `x-mte-outbound-token` and `x-mte-upstream`. */
@Injectable()
export class ByFields implements ClientWay {
  constructor(
    private readonly directory: DirectoryService,
    private readonly peerOrigins: PeerOrigins,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  admit({ headers }: IncomingMessage): Grant {
    const value = headers[TOKEN_HEADER];
    const token = typeof value === 'string' ? value : '';
    const grant = this.directory.current.tokens.find(token, this.clock.nowMs());
    if (grant === undefined) {
      throw new TokenInvalidError('x-mte-outbound-token is not a token of this relay');
    }
    return grant;
  }

  peerOf({ headers }: IncomingMessage, client: ClientEntry): NamedPeer {
    return this.peerOrigins.parse(headers['x-mte-upstream'], client);
  }
}

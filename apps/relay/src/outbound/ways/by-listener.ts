import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import type { ClientEntry, Grant, ListenAt } from '@relay/config';
import { isLoopback, normalAuthority } from '@relay/fields';

import { requestTarget } from '../../client/request-target.js';
import { DirectoryService } from '../../directory/directory.service.js';
import type { KnownListener } from '../../directory/known-listeners.js';
import { PeerOrigins, type NamedPeer } from '../../peers/peer-origin.js';
import { entranceOf } from '../../server/entrance.js';
import { rawTargetOf } from '../../server/request-routing.js';
import { WHOLLY_SEALED, type EncodeOptions } from '../encode-options.js';
import { HostUnknownError } from '../outbound.errors.js';
import type { ClientWay } from './client-way.js';
import { LoopDetection } from './loop-detection.js';

/**
 * Whoever calls the listener of a peer: to its client, the listener is the remote API. As for the forward proxy, fields `x-mte-*`
 * mean nothing.
 */
@Injectable()
export class ByListener implements ClientWay {
  constructor(
    private readonly directory: DirectoryService,
    private readonly peerOrigins: PeerOrigins,
    private readonly loops: LoopDetection,
  ) {}

  admit(request: IncomingMessage): Grant {
    const { listener, found } = this.find(request);
    if (!this.isCalledRightly(request, found)) {
      throw new HostUnknownError(
        `this listener is called localhost, or as peers.${found.peer.name}.hosts says: a page of another site must not reach it`,
      );
    }
    return { client: found.client, listener };
  }

  peerOf(request: IncomingMessage, client: ClientEntry): NamedPeer {
    return this.peerOrigins.ofKnown(this.find(request).found.peer, client);
  }

  optionsOf(): EncodeOptions {
    return WHOLLY_SEALED;
  }

  addedFields(request: IncomingMessage): readonly string[] {
    return this.loops.fieldsFor(request);
  }

  private find(request: IncomingMessage): { listener: string; found: KnownListener } {
    const { listener = '' } = entranceOf(request);
    const found = this.directory.current.listeners.all.get(listener);
    if (found === undefined) {
      throw new HostUnknownError('this listener leads to no peer any more');
    }
    return { listener, found };
  }

  /**
   * A browser beside this relay could be made to call a loopback address under the name of any site, whose page could then read
   * the response. What is in absolute form may be meant for any server.
   */
  private isCalledRightly(request: IncomingMessage, { at, peer }: KnownListener): boolean {
    if (!isLoopbackListener(at) && rawTargetOf(request).startsWith('/')) {
      return true;
    }
    const { authority } = requestTarget(request);
    const host = hostOf(authority);
    return (
      host === '' ||
      isLoopback(host) ||
      (at.kind === 'tcp' && host === at.host) ||
      this.directory.current.hosts.isNameOf(peer, authority)
    );
  }
}

function isLoopbackListener(at: ListenAt): boolean {
  return at.kind === 'tcp' && isLoopback(at.host);
}

/** Empty for HTTP/1.0, which no browser speaks. */
function hostOf(authority: string): string {
  return normalAuthority(authority)?.replace(/:\d+$/, '') ?? '';
}

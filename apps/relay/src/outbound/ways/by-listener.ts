import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import type { ClientEntry, Grant, ListenAt } from '@relay/config';
import { isLoopback, normalAuthority } from '@relay/fields';

import { requestTarget } from '../../client/request-target.js';
import { DirectoryService } from '../../directory/directory.service.js';
import type { KnownListener } from '../../directory/known-listeners.js';
import { PeerOrigins, type NamedPeer } from '../../peers/peer-origin.js';
import { entranceOf } from '../../server/entrance.js';
import { isInAbsoluteForm } from '../../server/request-routing.js';
import { HostUnknownError } from '../outbound.errors.js';
import type { ClientWay } from './client-way.js';

/** Values of `sec-fetch-site` for requests of the user, and of pages of the site itself. W3C Fetch Metadata, section 2.3. */
const NOT_FOREIGN: ReadonlySet<unknown> = new Set(['same-origin', 'same-site', 'none']);

/** Of an origin. Browsers always send one; clients of WebSockets exist that do not. */
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * Whoever calls the listener of a peer: to its client, the listener is the remote API. As for the forward proxy, fields `x-mte-*`
 * mean nothing.
 */
@Injectable()
export class ByListener implements ClientWay {
  constructor(
    private readonly directory: DirectoryService,
    private readonly peerOrigins: PeerOrigins,
  ) {}

  admit(request: IncomingMessage): Grant {
    const { listener, found } = this.find(request);
    const key = `peers.${found.peer.name}.hosts`;
    if (!this.hasAllowedHost(request, found)) {
      throw new HostUnknownError(
        `host is neither localhost, an address of this machine nor one of ${key}: a page of another site must not reach this listener`,
      );
    }
    if (this.isOfForeignPage(request, found)) {
      throw new HostUnknownError(
        `origin or sec-fetch-site says that a page of another site sends this: only pages of localhost, and of ${key}, may`,
      );
    }
    return { client: found.client, listener };
  }

  peerOf(request: IncomingMessage, client: ClientEntry): NamedPeer {
    return this.peerOrigins.ofKnown(this.find(request).found.peer, client);
  }

  private find(request: IncomingMessage): { listener: string; found: KnownListener } {
    const { listener = '' } = entranceOf(request);
    const found = this.directory.current.listeners.get(listener);
    if (found === undefined) {
      throw new HostUnknownError('this listener leads to no peer any more');
    }
    return { listener, found };
  }

  /**
   * A browser beside this relay could be made to call a loopback address under the name of any site, whose page could then read
   * the response. What is in absolute form may be meant for any server.
   */
  private hasAllowedHost(request: IncomingMessage, found: KnownListener): boolean {
    if (!isLoopbackListener(found.at) && !isInAbsoluteForm(request)) {
      return true;
    }
    const { authority } = requestTarget(request);
    // Without one it is of HTTP/1.0, which no browser speaks.
    return authority === '' || this.isOwn(authority, found);
  }

  /**
   * A page of any site can have a browser beside this relay send requests here, under the right name, and for a WebSocket or with
   * CORS of the API also read the response. Programs send neither field, except that clients of WebSockets may name their origin;
   * a proxy passes on those of its own site, which browsers call the same origin.
   */
  private isOfForeignPage({ headers }: IncomingMessage, found: KnownListener): boolean {
    const { origin, 'sec-fetch-site': site } = headers;
    if (!isLoopbackListener(found.at) || (origin === undefined && site === undefined)) {
      return false;
    }
    const isOfOwn = this.isOwn(origin?.replace(SCHEME, '') ?? '', found);
    return !isOfOwn && !NOT_FOREIGN.has(site);
  }

  /** Whether a listener of loopback may be called so. @param authority - `host` or `host:port` */
  private isOwn(authority: string, { at, peer }: KnownListener): boolean {
    const host = normalAuthority(authority)
      ?.replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '');
    return (
      host !== undefined &&
      (isLoopback(host) ||
        (at.kind === 'tcp' && host === at.host) ||
        this.directory.current.hosts.isNameOf(peer, authority))
    );
  }
}

function isLoopbackListener(at: ListenAt): boolean {
  return at.kind === 'tcp' && isLoopback(at.host);
}
